import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import manifest from "../package.json" with { type: "json" };

const root = join(import.meta.dirname, "..");

interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
}

describe("npm create @dormouse/scaler", () => {
  it("writes a scaler whose tests pass as it stands", { timeout: 120_000 }, async () => {
    const folder = await emptyFolder();
    expect((await create(folder, "cloud-run")).exitCode).toBe(0);
    const scaler = join(folder, "dormouse-scaler-cloud-run");
    await symlink(join(root, "node_modules"), join(scaler, "node_modules"));
    const tests = await run(scaler, [
      "--conditions=@dormouse/source",
      "--test",
      "--test-reporter=tap",
      "test/*.test.ts",
    ]);
    expect(tests.output).toContain("# fail 0\n");
    expect(tests.output).toMatch(/# scorecard of cloud-run: contract 1/);
    expect(tests.output).toMatch(/ok \d+ - names the place of a wrong option/);
    expect(tests.exitCode).toBe(0);
  });

  it("leaves no name of the template, and names the version of Dormouse that wrote it", async () => {
    const folder = await emptyFolder();
    const { output } = await create(folder, "@acme/dormouse-scaler-nomad", "--folder", "here");
    expect(output).toContain("wrote @acme/dormouse-scaler-nomad to here");
    const files = await filesBelow(join(folder, "here"));
    expect(files).toEqual(expect.arrayContaining([".gitignore", ".github/workflows/ci.yml", "src/nomad-scaler.ts"]));
    expect(files).toEqual(expect.arrayContaining(["package.json", "tsconfig.json", "tsconfig.build.json"]));
    for (const file of files) {
      const text = await readFile(join(folder, "here", file), "utf8");
      expect(`${file}\n${text}`, file).not.toMatch(/example/i);
    }
    const written = JSON.parse(await readFile(join(folder, "here/package.json"), "utf8")) as Record<string, object>;
    expect(written["name"]).toBe("@acme/dormouse-scaler-nomad");
    expect(written["peerDependencies"]).toEqual({ "@dormouse/core": `>=${manifest.version}` });
  });

  it("takes a folder that has nothing but .git in it", async () => {
    const folder = await emptyFolder();
    await mkdir(join(folder, ".git"));
    expect(await create(folder, "nomad", "--folder", ".")).toMatchObject({ exitCode: 0 });
  });

  it("refuses a folder with something in it, and changes nothing there", async () => {
    const folder = await emptyFolder();
    await writeFile(join(folder, "notes.txt"), "mine");
    const { exitCode, output } = await create(folder, "nomad", "--folder", ".");
    expect(output).toMatch(/^error: .* is not empty \(it has notes\.txt\); choose another with --folder\n$/);
    expect(exitCode).toBe(2);
    expect(await readdir(folder)).toEqual(["notes.txt"]);
  });

  it("refuses a folder that is a file, and one below a file", async () => {
    const folder = await emptyFolder();
    await writeFile(join(folder, "taken"), "");
    for (const path of ["taken", "taken/below"]) {
      const { exitCode, output } = await create(folder, "nomad", "--folder", path);
      expect(output).toMatch(/^error: .*taken.* is a file; choose another with --folder\n$/);
      expect(exitCode).toBe(2);
    }
  });

  it.each([
    [["No Mad"], /^error: "No Mad" is no name for an npm package: .*\. Write for example "nomad"/],
    [[], /^error: NAME is missing, and there is no terminal to ask on; write: npm create @dormouse\/scaler NAME\n$/],
    [["--yes"], /^error: NAME is missing; write: npm create @dormouse\/scaler NAME\n$/],
    [["nomad", "--foldr", "x"], /^error: unknown option '--foldr'\n.*Did you mean --folder\?/],
    [["nomad", "other"], /too many arguments/],
  ])("refuses %j with exit code 2 and the mend, and writes nothing", async (args, message) => {
    const folder = await emptyFolder();
    const { exitCode, output } = await create(folder, ...args);
    expect(output).toMatch(message);
    expect(exitCode).toBe(2);
    expect(await readdir(folder)).toEqual([]);
  });

  it("prints help and version", async () => {
    const folder = await emptyFolder();
    expect(await create(folder, "--version")).toEqual({ exitCode: 0, output: `${manifest.version}\n` });
    const { exitCode, output } = await create(folder, "--help");
    expect(output).toMatch(/^Usage: npm create @dormouse\/scaler NAME \[-- options\]\n/);
    expect(exitCode).toBe(0);
  });
});

/** A folder that is gone after the test. */
async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dormouse-create-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function create(folder: string, ...args: readonly string[]): Promise<Ended> {
  return run(folder, [join(root, "src/bin.ts"), ...args]);
}

/** Runs Node in a folder, with nobody at its input. */
function run(cwd: string, args: readonly string[]): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const child = execFile(
    process.execPath,
    args,
    // A runner that sees itself inside another one's worker reports to that one instead of printing.
    { cwd, env: { PATH: process.env["PATH"] }, maxBuffer: 16 * 1024 * 1024 },
    (_, stdout, stderr) => resolve({ exitCode: child.exitCode, output: stdout + stderr }),
  );
  child.stdin?.end();
  return promise;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

import { chmod, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { openStateFolder } from "./state-folder.ts";

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "dormouse-state-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it("is made for its user alone", async () => {
  const path = join(await temporaryFolder(), "a", "b");
  expect(await openStateFolder(path)).toBe(path);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

it("is refused where others may write, and where it is no folder", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "file");
  await writeFile(file, "");
  await expect(openStateFolder(file)).rejects.toMatchObject({ code: "SCALER_BAD_OPTIONS" });
  const link = join(folder, "link");
  await symlink(folder, link);
  await expect(openStateFolder(link)).rejects.toThrow("is no folder");
  await chmod(folder, 0o777);
  await expect(openStateFolder(folder)).rejects.toThrow("can be written by other users");
});

it("is one in the user's home by default, and a temporary one where there is no home", async () => {
  const [home, temporary] = [await temporaryFolder(), await temporaryFolder()];
  vi.stubEnv("TMPDIR", temporary);
  vi.stubEnv("HOME", home);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await openStateFolder(undefined)).toBe(join(home, ".local/state/dormouse/process"));
  vi.stubEnv("HOME", "/dev/null");
  expect(await openStateFolder(undefined)).toBe(join(temporary, `dormouse-${process.getuid?.()}`, "process"));
});

import { relative, resolve } from "node:path";
import { Command, CommanderError } from "commander";
import { askName } from "./ask-name.ts";
import { toScalerNames } from "./scaler-names.ts";
import { UsageError } from "./usage-error.ts";
import { version } from "./version.ts";
import { writeScaler } from "./write-scaler.ts";

/** What the command may touch of the world around it, besides the folder that it writes. */
export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

interface Flags {
  readonly folder?: string;
  readonly yes?: boolean;
}

/**
 * `npm create @dormouse/scaler`. Never rejects: what went wrong stands on stderr.
 * @param args what follows the command
 * @returns the exit code: 0 done, 1 failed, 2 cannot be done as it was written
 */
export async function runCreateScaler(args: readonly string[], streams: Streams): Promise<0 | 1 | 2> {
  try {
    await createProgram(streams).parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    // Commander has written its own message by now; help and version come this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    streams.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function createProgram(streams: Streams): Command {
  return new Command("npm create @dormouse/scaler")
    .usage("NAME [-- options]")
    .description("Writes a resource scaler of your own: the contract, options, errors, tests that pass, and CI.")
    .argument("[name]", 'the platform ("nomad") or the whole package name ("@acme/dormouse-scaler-nomad")')
    .option("--folder <path>", "folder to write to, new or empty (default: the package's name without its scope)")
    .option("-y, --yes", "ask nothing: a missing NAME is an error")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    })
    .showHelpAfterError('"npm create @dormouse/scaler -- --help" lists what there is.')
    .action(async (name: string | undefined, flags: Flags) => create(name, flags, streams));
}

async function create(given: string | undefined, { folder, yes }: Flags, streams: Streams): Promise<void> {
  if (given === undefined && yes === true)
    throw new UsageError("NAME is missing; write: npm create @dormouse/scaler NAME");
  const names = toScalerNames(given ?? (await askName(streams)));
  const path = resolve(folder ?? names.folder);
  const files = await writeScaler(path, names);
  streams.stdout.write(describeNext(names.packageName, relative(process.cwd(), path) || ".", files.length));
}

function describeNext(packageName: string, folder: string, count: number): string {
  return [
    `wrote ${packageName} to ${folder} (${count} files)`,
    "",
    ...(folder === "." ? [] : [`  cd ${folder}`]),
    "  npm install",
    "  npm test         # the conformance kit, against a stand-in for your platform",
    "  npm run check    # types, build, and what would be published",
    "",
    "README.md says which file is for what, and what is yours to write.",
    "",
  ].join("\n");
}

import { systemClock } from "@dormouse/core";
import type { Command } from "commander";
import { overrideVariables } from "../src/config/override.ts";
import { createProgram } from "../src/create-program.ts";

/** Characters in a line of the help texts. */
const helpWidth = 100;

/** `docs/cli.md`, from what the command says of itself. */
export function renderCliDocs(): string {
  const { stdout, stderr } = process;
  const program = createProgram({ stdout, stderr, environment: { NO_COLOR: "1" }, clock: systemClock }, () => {});
  const sections = program.commands.map((command) => `## dormouse ${command.name()}\n\n${helpBlock(command)}`);
  return `${[intro, helpBlock(program), ...sections, secrets, renderVariables()].join("\n\n")}\n`;
}

const intro = `# The command line

<!-- Written by packages/cli/scripts/write-cli-docs.ts from --help. Change packages/cli/src/create-program.ts instead. -->

\`npm install --global @dormouse/cli\` gives the command \`dormouse\`; in a clone it is \`npx pnpm@12 dormouse\`.
[configuration.md](configuration.md) has the keys of the file, [admin-api.md](admin-api.md) what the commands ask for,
[observability.md](observability.md) metrics, traces and logs.`;

const secrets = `## Secrets

A secret stands in a file or in the environment, never in the configuration: \`{ env: NAME }\` or \`{ file: PATH }\`, paths relative to
the configuration file. That works for \`admin.token\` and anywhere in a plugin's \`options\` under a key that ends with \`token\`,
\`password\`, \`passwd\`, \`passphrase\`, \`secret\`, \`apiKey\`, \`accessKey\`, \`privateKey\`, \`credential\`, \`credentials\`, \`authorization\` or
\`cookie\`, in any case and with \`-\` or \`_\` within, so also \`DB_PASSWORD\` in the environment of a process. They are read at the start and with each reload (SIGHUP reads them again where only they have changed),
\`dormouse check --print\` masks what is written out all the same, and no log line has their values in it.`;

function helpBlock(command: Command): string {
  let text = "";
  command.configureHelp({ ...command.configureHelp(), helpWidth });
  command.configureOutput({
    ...command.configureOutput(),
    writeOut: (part) => (text += part),
    getOutHelpWidth: () => helpWidth,
  });
  command.outputHelp();
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}

function renderVariables(): string {
  const rows = [...overrideVariables()].map(([name, [section, key]]) => `| \`${name}\` | \`${section}.${key}\` |`);
  return `## Environment

| variable | is |
|---|---|
| \`DORMOUSE_CONFIG\` | \`--config\` |
| \`DORMOUSE_ADMIN\` | \`--admin\` |
| \`DORMOUSE_TOKEN_FILE\` | \`--token-file\` |
| \`DORMOUSE_TOKEN\` | the token itself |
| \`NO_COLOR\`, \`FORCE_COLOR\` | colours never, always |
| \`APP_SERVICE_…\`, \`SCALE_…\`, \`LOG_LEVEL\` | one application for \`dormouse autoscaler\` without a file: [scaleit.md](scaleit.md) |

Each of these replaces a key of the configuration file; values are YAML (\`DORMOUSE_DLX_LISTEN='[127.0.0.1:80, "[::1]:80"]'\`), an empty one counts as not set.

| variable | key |
|---|---|
${rows.join("\n")}`;
}

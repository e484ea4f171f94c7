import { Command, Option } from "commander";
import type { CheckOptions } from "./commands/check.ts";
import type { ConfigOptions } from "./commands/config-options.ts";
import type { EventsOptions } from "./commands/events.ts";
import type { GlobalOptions } from "./commands/global-options.ts";
import type { InitOptions } from "./commands/init.ts";
import type { ScaleOptions } from "./commands/scale.ts";
import type { ProveFlags } from "./prove/prove-options.ts";
import type { ServeOptions } from "./commands/serve-options.ts";
import type { HostRole } from "./host/host-role.ts";
import type { ExitCode } from "./exit-code.ts";
import { hasColor, type Terminal } from "./terminal.ts";
import { version } from "./version.ts";

type Finish = (code: ExitCode) => void;

/**
 * The command line: what there is, what it takes, what its help says. Each command is loaded when it runs.
 * @param finish gets the exit code of the command that ran
 */
export function createProgram(terminal: Terminal, finish: Finish): Command {
  const program = new Command("dormouse")
    .description("Puts services to sleep while nobody uses them, and wakes them on the first request, losing none.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
      getOutHasColors: () => hasColor(terminal.stdout, terminal.environment),
      getErrHasColors: () => hasColor(terminal.stderr, terminal.environment),
    })
    .showHelpAfterError('"dormouse --help" lists the commands, "dormouse COMMAND --help" their options.');
  addGlobalOptions(program);
  program.addHelpText("after", programHelp);
  for (const add of [
    addUp,
    addDlx,
    addAutoscaler,
    addInit,
    addCheck,
    addLs,
    addWake,
    addSleep,
    addWhy,
    addEvents,
    addProve,
    addRelease,
  ])
    add(program, terminal, finish);
  return program;
}

function addGlobalOptions(program: Command): void {
  program
    .option("-c, --config <file>", 'configuration file (default: "dormouse.yaml"; DORMOUSE_CONFIG)')
    .option("--admin <url>", "admin API of the host to talk to (default: the file's admin.listen; DORMOUSE_ADMIN)")
    .option(
      "--token-file <file>",
      "file with the token of the admin API (DORMOUSE_TOKEN_FILE; the token itself: DORMOUSE_TOKEN)",
    )
    .addOption(new Option("-o, --output <format>", "what to print").choices(["text", "json"]).default("text"));
}

const programHelp = `
Examples:
  dormouse init                          write a dormouse.yaml to begin with
  dormouse check                         say what is wrong with it, with lines
  dormouse up                            run it: everything in one process
  dormouse dlx, dormouse autoscaler      run the parts as processes of their own
  dormouse ls                            what there is, and how it is
  dormouse why hello                     why it sleeps or not, and what comes next
  dormouse prove hello                   send requests around sleeps and wakes; is one lost?
  dormouse wake hello && curl -H 'Host: hello.localhost' http://127.0.0.1:8080/

A resource (REF) is written scaler/namespace/name, scaler/name in the namespace "default", or as a name
alone where only one has it.

Precedence: flags, then environment, then the file, then defaults. Every key of the file's sections admin,
dlx, autoscaler, cluster, defaults, telemetry and log has a variable: DORMOUSE_DLX_LISTEN is dlx.listen,
DORMOUSE_DEFAULTS_IDLE_AFTER is defaults.idleAfter. NO_COLOR turns colours off.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.`;

type Add = (program: Command, terminal: Terminal, finish: Finish) => void;

function addConfigOptions(command: Command, role: HostRole = "up"): Command {
  command.option(
    "--set <key=value>",
    "set a key of the configuration, for example dlx.listen=127.0.0.1:9000 (repeatable)",
    collect,
    [],
  );
  command.option("--env-file <file>", "variables in lines NAME=VALUE; those of the environment win");
  if (role !== "autoscaler") command.option("--listen <address>", "same as --set dlx.listen=ADDRESS");
  return command
    .option("--admin-listen <address>", "same as --set admin.listen=ADDRESS")
    .option("--log-level <level>", "same as --set log.level=LEVEL: debug, info, warn, error or silent")
    .option("--log-format <format>", "same as --set log.format=FORMAT: auto, json or pretty");
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

/** One command for each kind of host. */
function addHost(role: HostRole, description: string, help: string): Add {
  return (program, terminal, finish) => {
    addConfigOptions(program.command(role), role)
      .description(description)
      .option("--no-live", "plain log lines instead of the live view on a terminal")
      .option("--no-watch", "take in changes of the file by SIGHUP only")
      .addHelpText("after", help)
      .action(async (_: object, command: Command) => {
        const { serve } = await import("./commands/serve.ts");
        finish(await serve(role, command.optsWithGlobals<ServeOptions>(), terminal));
      });
  };
}

const addUp = addHost(
  "up",
  "Run scalers, DLX, autoscaler and admin API in this process until a signal ends it.",
  `
On a terminal there is a live view with log lines above it; elsewhere JSON lines (-o json: anywhere).
A changed configuration file applies at once, without dropping a request; a wrong one is named, and the
old one stays. SIGHUP reloads too, secrets included.

SIGTERM and SIGINT (Ctrl-C): /readyz says 503, after dlx.stopGrace no more requests are accepted, held and
running ones finish within dlx.drainTimeout, everything that was started is stopped, exit code 0. A second
signal ends it at once. Exit code 2: the configuration or a port is not usable, and nothing was started.

Examples:
  dormouse up -c examples/hello/dormouse.yaml
  dormouse up --listen 0.0.0.0:80 --log-level debug
  DORMOUSE_DEFAULTS_IDLE_AFTER=30s dormouse up --no-live`,
);

const addDlx = addHost(
  "dlx",
  "Run one DLX of several: it holds requests, wakes resources and forwards. Autoscalers run apart.",
  `
The configuration names a peer discovery (cluster.peers) by which the autoscalers find this DLX and it finds
its own entry. Until it is listed it accepts and holds, wakes nothing, and /readyz says 503. Autoscalers ask
for its activity and fence it by the admin API, with admin.token or certificates (admin.tls).

SIGTERM and SIGINT: /readyz says 503 at once; requests are accepted for dlx.stopGrace, which should be as long
as balancers need to notice; held and running ones finish within dlx.drainTimeout. The admin API answers to
the end. A second signal ends it at once.

Examples:
  dormouse dlx --set cluster.peers.options.self=a --admin-listen 10.0.0.5:8081
  dormouse dlx --set dlx.stopGrace=10s`,
);

const addAutoscaler = addHost(
  "autoscaler",
  "Run an autoscaler, leader or standby: it puts idle resources to sleep, and holds targets. DLXs run apart.",
  `
The configuration names a peer discovery (cluster.peers), which lists the DLXs, and a leader elector
(cluster.leader) where more than one autoscaler runs. A DLX that is listed and does not answer keeps every
resource awake. A standby is ready like the leader; /healthz says 503 once the loop stands still. Where every
resource has minReplicas 1 or more, nothing can sleep and no peer discovery is needed.

Without a file, variables tell of one application whose CPU is held by its replicas (docs/scaleit.md):
APP_SERVICE_URL, APP_SERVICE_PORT, SCALE_RESOLUTION_TIME, SCALE_METRIC, SCALE_TOLERANCE, LOG_LEVEL.

SIGTERM and SIGINT: sleeps that run end before their next step, the lead is released, exit code 0. Requests
that a DLX holds do not notice.

Examples:
  dormouse autoscaler -c dormouse.yaml --admin-listen 127.0.0.1:8091
  dormouse autoscaler --env-file app.env
  dormouse ls --admin http://127.0.0.1:8091`,
);

const addInit: Add = (program, terminal, finish) => {
  program
    .command("init")
    .description("Write a configuration to begin with, commented, that runs as it is (to -c FILE).")
    .option("--force", "overwrite a file that is there")
    .action(async (_: object, command: Command) => {
      const { init } = await import("./commands/init.ts");
      finish(await init(command.optsWithGlobals<InitOptions>(), terminal));
    });
};

const addCheck: Add = (program, terminal, finish) => {
  addConfigOptions(program.command("check"))
    .description(
      "Say everything that is wrong with a configuration: keys, values, plugins and their options, routes, dependencies.",
    )
    .option("--print", "print the effective configuration, secrets masked")
    .addHelpText("after", checkHelp)
    .action(async (_: object, command: Command) => {
      const { check } = await import("./commands/check.ts");
      finish(await check(command.optsWithGlobals<CheckOptions>(), terminal));
    });
};

const checkHelp = `
One line for each problem: file, line and column, key, what is wrong, how to mend it. Plugins are loaded and
opened, platforms are asked for their resources, nothing is started or stopped.

Exit codes: 0 good, 1 a platform could not be asked, 2 something has to be mended.

Examples:
  dormouse check -c dormouse.yaml
  dormouse check --print
  dormouse check -o json | jq -r '.problems[].origin'`;

const addLs: Add = (program, terminal, finish) => {
  program
    .command("ls")
    .description("List the resources of a running host: state, replicas, held, in flight, last use, last wake.")
    .action(async (_: object, command: Command) => {
      const { ls } = await import("./commands/ls.ts");
      finish(await ls(command.optsWithGlobals<GlobalOptions>(), terminal));
    });
};

const addWake: Add = (program, terminal, finish) => {
  program
    .command("wake")
    .description("Wake a resource as a request would, and wait until it can take requests.")
    .argument("<ref>", "the resource")
    .option("--reason <text>", "why, for events and why")
    .addHelpText("after", "\nAn awake resource stays as it is. Exit code 1: it did not wake; the message says why.")
    .action(async (ref: string, _: object, command: Command) => {
      const { scale } = await import("./commands/scale.ts");
      finish(await scale("wake", ref, command.optsWithGlobals<ScaleOptions>(), terminal));
    });
};

const addSleep: Add = (program, terminal, finish) => {
  program
    .command("sleep")
    .description("Put a resource to sleep now: without waiting for idleAfter, but never while it is in use.")
    .argument("<ref>", "the resource")
    .option("--reason <text>", "why, for events and why")
    .addHelpText("after", "\nExit code 1: it stays awake; the message says what keeps it so.")
    .action(async (ref: string, _: object, command: Command) => {
      const { scale } = await import("./commands/scale.ts");
      finish(await scale("sleep", ref, command.optsWithGlobals<ScaleOptions>(), terminal));
    });
};

const addWhy: Add = (program, terminal, finish) => {
  program
    .command("why")
    .description("Explain a resource: its state, what brought it there, what keeps it so, and what comes next.")
    .argument("<ref>", "the resource")
    .action(async (ref: string, _: object, command: Command) => {
      const { why } = await import("./commands/why.ts");
      finish(await why(ref, command.optsWithGlobals<GlobalOptions>(), terminal));
    });
};

const addEvents: Add = (program, terminal, finish) => {
  program
    .command("events")
    .description("Print what a host did lately: every wake, sleep and change of its configuration.")
    .option("-f, --follow", "go on with what it does, until Ctrl-C")
    .addHelpText("after", "\nWith -o json one line for each event. A host that restarts is followed again.")
    .action(async (_: object, command: Command) => {
      const { events } = await import("./commands/events.ts");
      finish(await events(command.optsWithGlobals<EventsOptions>(), terminal));
    });
};

const addProve: Add = (program, terminal, finish) => {
  program
    .command("prove")
    .description(
      "Send requests with ids around sleeps and wakes of a live resource, and say whether each of them ended once.",
    )
    .argument("<ref>", "the resource")
    .option("--cycles <n>", "sleeps and wakes, 1000 at most", "5")
    .option("--rate <n>", "requests a second while they come, 1000 at most", "20")
    .option("--force", "ask for the sleeps, while requests go on, instead of waiting for them")
    .option("--to <url>", "the DLX to send to (default: what the host reports of the resource's routes)")
    .option("--host <name>", "the Host header (default: the same)")
    .option("--path <path>", '"{id}" in it stands for the id (default: the same)')
    .option("--header <header>", '"NAME: VALUE", for each request (repeatable)', collect, [])
    .addOption(new Option("--method <method>", "what to send").choices(["GET", "POST"]).default("GET"))
    .option("--body <text>", 'body of each request; "{id}" in it stands for the id')
    .option("--id-header <name>", "the header that carries the id", "X-Request-Id")
    .option("--echo <place>", "where answers have the id: auto, body, header:NAME, json:FIELD or none", "auto")
    .option("--ledger <place>", "path or URL of the ids that the service executed, one a line or as JSON")
    .option("--timeout <time>", "how long one request may take", "2m")
    .option("--patience <time>", "how long one sleep or one wake is waited for", "10m")
    .addHelpText("after", proveHelp)
    .action(async (ref: string, _: object, command: Command) => {
      const { prove } = await import("./commands/prove.ts");
      finish(await prove(ref, command.optsWithGlobals<ProveFlags>(), terminal));
    });
};

const proveHelp = `
The service has to say whose answer it gives: by the id's header, or anywhere in the body. A request is answered
by the service with its own id, refused by Dormouse with a code, or lost. That one was executed twice
shows only where the service lists what it executed (--ledger). Nothing is changed but by requests, and with
--force by sleeps that are asked for. At most 200 requests are open at once. Ctrl-C ends it with a verdict.

Exit codes: 0 held, 1 broken, or too little happened to prove anything, 2 wrong usage, a target that is not
the resource's, a service that does not echo, no host.

Examples:
  dormouse prove hello
  dormouse prove local/default/hello --force --cycles 50 --rate 100
  dormouse prove shop --method POST --body '{"order":"{id}"}' --echo json:order --ledger /orders.txt
  dormouse prove hello -o json | jq .verdict`;

const addRelease: Add = (program, terminal, finish) => {
  addConfigOptions(program.command("release"))
    .description(
      "Hand everything back to the platforms: every resource awake, its traffic its own, nothing left behind.",
    )
    .addHelpText("after", releaseHelp)
    .action(async (_: object, command: Command) => {
      const { release } = await import("./commands/release.ts");
      finish(await release(command.optsWithGlobals<ConfigOptions>(), terminal));
    });
};

const releaseHelp = `
Run it before Dormouse is removed from a cluster; the chart does so at "helm uninstall". It opens the scalers of the
configuration itself and needs no host, and hosts that run stop managing what is handed back. Scalers that write nothing
on their platform have nothing to hand back.

Exit codes: 0 done, 1 something could not be handed back; the message names it.`;

import type { ErrorCode } from "../src/error-codes.ts";

/** What an operator reads about a code in docs/errors.md: what has happened, and what to do. */
export interface ErrorAdvice {
  readonly means: string;
  readonly mend: string;
}

/** One for each code; the compiler holds that none is missing. */
export const errorAdvice: Readonly<Record<ErrorCode, ErrorAdvice>> = {
  SCALER_ABORTED: {
    means:
      "The host gave a call up, since its request or its operation had ended. The platform may have taken it all the same.",
    mend: "Nothing. A client that tries again gets an answer.",
  },
  SCALER_BAD_ARGUMENT: {
    means: "A ref, a replica count or a version was not of the contract's form.",
    mend: "On the command line: write the ref as `scaler/namespace/name`. Anywhere else it is a bug of the host: report it.",
  },
  SCALER_BAD_OPTIONS: {
    means: "A plugin found its options to be of the right form and yet unusable.",
    mend: "Read the message, correct `options` of that scaler, and run `dormouse check`.",
  },
  SCALER_CONFLICT: {
    means:
      "Somebody changed the resource between a read and a write: another wake or sleep, a person, an autoscaler of the platform.",
    mend: "Nothing; Dormouse reads again. If it never stops, two tools scale the same resource: let one of them go.",
  },
  SCALER_CRASH_LOOP: {
    means: "The service starts, ends, and starts again.",
    mend: "Look at `dormouse why` and at the service's own log.",
  },
  SCALER_DISPOSED: {
    means: "A call came when the scaler had been closed: the host stops, or its configuration was reloaded.",
    mend: "Nothing. A client that tries again reaches the new one.",
  },
  SCALER_FORBIDDEN: {
    means: "The platform refused the credentials, or they lack a right.",
    mend: "Give the scaler valid credentials with the rights that its README lists.",
  },
  SCALER_IMAGE_PULL: {
    means: "The platform could not fetch the service's image.",
    mend: "Check the image's name and tag, and the platform's access to its registry.",
  },
  SCALER_INTERNAL: {
    means: "The plugin threw something that is no error of the contract, or answered outside the contract.",
    mend: "It is a bug of the plugin: report it there, with the message, which names the call and the member.",
  },
  SCALER_NOT_FOUND: {
    means: "The platform does not have the resource any more.",
    mend: "Create it again, or take its route away.",
  },
  SCALER_QUOTA: {
    means: "The account has reached a quota of the platform.",
    mend: "Raise the quota, or let something else sleep.",
  },
  SCALER_RATE_LIMITED: {
    means: "The platform refuses calls for a while because there are too many.",
    mend: "Nothing at first. If it stays, raise `autoscaler.every`, or find out who else uses the account.",
  },
  SCALER_START_FAILED: {
    means: "The service was started and could not run: its command does not exist, or it ended at once.",
    mend: "`dormouse why` shows the exit code and the last lines of its output.",
  },
  SCALER_TIMEOUT: {
    means: "The platform did not answer a call in time. Whether it took the call is unknown.",
    mend: "Nothing; Dormouse reads again. If it stays, look at the platform's health and the network to it.",
  },
  SCALER_UNAVAILABLE: {
    means: "The platform could not be reached.",
    mend: "Look at the network, the address in the scaler's options and the platform's health.",
  },
  SCALER_UNSCHEDULABLE: {
    means: "The platform has no room for the service: no node with enough memory, CPU or whatever it asks for.",
    mend: "Add room, or ask for less.",
  },
  SCALER_UNSUPPORTED: {
    means: "The scaler was asked for something that its capabilities deny.",
    mend: "Use the platform's other scaler, or do without; the plugin's README lists what it can do.",
  },
  PLUGIN_NOT_FOUND: {
    means: "`use:` names a package or file that is nowhere to be found. The message lists where it was looked for.",
    mend: "Install the package beside the configuration file or in `pluginDir`, or correct the name.",
  },
  PLUGIN_INVALID: {
    means: "The module throws on import, has no export of the right name, or the export is not of the contract's form.",
    mend: "Read the message, which names each wrong member; install another version of the plugin.",
  },
  PLUGIN_CONTRACT: {
    means: "The plugin is made for another major version of the contract. The message names both.",
    mend: "Install the plugin's version for this Dormouse, or the Dormouse for this plugin.",
  },
  CONFIG_INVALID: {
    means:
      "A configuration, a policy or a plugin's options are wrong. Each line of the message names the place and the mend.",
    mend: "Correct it and run `dormouse check`. A host that runs keeps its old configuration until then.",
  },
  DLX_BAD_REQUEST: {
    means:
      "The request is not valid HTTP, or could be understood in two ways. Answered with 400, or 431 for a head that is too large; the connection is closed.",
    mend: "Correct the client. A head that is large for a reason needs a larger `dlx.maxHeaderSize`.",
  },
  DLX_CLIENT_GONE: {
    means: "The client left before it had its answer. Only counted; nobody is there to read it.",
    mend: "If many leave while held, the service starts more slowly than clients wait.",
  },
  DLX_HOLD_FULL: {
    means: "As many requests wait for this resource as its policy allows.",
    mend: "Raise `maxHeld`, or make the service start faster.",
  },
  DLX_LOOP: {
    means: "The request has been at this DLX before: a resource's target leads back to the DLX.",
    mend: "Correct the resource's port or address.",
  },
  DLX_NO_ROUTE: {
    means: "No resource has a route for this host, path and headers.",
    mend: "Give the resource `hosts`, `pathPrefix` or `listen`; `dormouse ls` shows what there is.",
  },
  DLX_OVERLOADED: {
    means: "The process has as many connections, held requests or requests in flight as it may have in all.",
    mend: "Raise `dlx.maxConnections`, `dlx.maxHeld` or `dlx.maxInFlight`, or run another DLX.",
  },
  DLX_STARTING: {
    means: "No route is known, and a scaler has not listed its resources yet.",
    mend: "Wait. If it stays, the log says why the scaler cannot list.",
  },
  DLX_STOPPING: {
    means: "The DLX is draining before it ends.",
    mend: "Nothing. A client that tries again reaches another one, or the next.",
  },
  DLX_TARGET_TIMEOUT: {
    means: "The service took the request and did not begin its answer within `responseTimeout`.",
    mend: "Raise `responseTimeout`, or look at why the service is slow.",
  },
  DLX_TARGET_UNREACHABLE: {
    means: "The connection to the service was refused or broke, and the request could not safely be sent again.",
    mend: "Look at the service's log: it may have crashed on this request.",
  },
  DLX_WAKE_TIMEOUT: {
    means: "The resource was not awake within the time that one request may be held. The wake goes on.",
    mend: "Raise `holdTimeout`, or make the service start faster; `dormouse why` shows the phases of its last wake.",
  },
};

import { isDeepStrictEqual } from "node:util";
import { contractVersion } from "@dormouse/core";
import type { Rule } from "../rule.ts";
import type { Stage } from "../stage.ts";
import { expect, show } from "../unmet.ts";

/** Texts, numbers and lists that no schema of options means. */
const nonsense: readonly unknown[] = [null, undefined, 42, "text", true, [], [{}], { options: null }];

/** What a plugin is before it does anything. */
export const shapeRules: readonly Rule[] = [
  {
    id: "shape/contract",
    title: "The plugin says that it is a scaler, of this major version of the contract.",
    why: "A host refuses any other, and names both versions instead of failing somewhere later.",
    mend: "make the exported value by defineScaler, with contract: 1",
    async check({ plugin }) {
      const { contract, kind } = plugin;
      expect(contract === contractVersion, `contract to be ${String(contractVersion)}`, contract);
      expect(kind === "scaler", 'kind to be "scaler"', kind);
    },
  },
  {
    id: "shape/name",
    title: "The plugin's name is kebab-case.",
    why: "It stands in messages and reports, and hosts refuse any other form.",
    mend: 'name it like "k8s-deployment"',
    async check({ plugin }) {
      const isKebab = typeof plugin.name === "string" && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(plugin.name);
      expect(isKebab, "name to be kebab-case", plugin.name);
    },
  },
  {
    id: "shape/options-schema",
    title: "The options are a Standard Schema, version 1.",
    why: "A host reads options by that interface alone, whatever library made the schema.",
    mend: "use a library that implements Standard Schema: zod, valibot, arktype",
    async check({ plugin }) {
      const { version, vendor, validate } = plugin.options["~standard"];
      expect(version === 1, 'options["~standard"].version to be 1', version);
      expect(typeof vendor === "string" && vendor !== "", 'options["~standard"].vendor to be a name', vendor);
      expect(typeof validate === "function", 'options["~standard"].validate to be a function', validate);
    },
  },
  {
    id: "shape/options-refuse-unknown-keys",
    title: "A key that the options do not know is an issue.",
    why: "A misspelt key that is silently ignored is found only in production.",
    mend: "use the strict form of your schema library, such as z.strictObject",
    async check(stage) {
      const raw = stage.platform.options;
      const options = typeof raw === "object" && raw !== null ? raw : {};
      const result = await validate(stage, { ...options, thisKeyIsNotKnown: 1 });
      expect(result.issues !== undefined, "an issue about the unknown key thisKeyIsNotKnown", "none");
    },
  },
  {
    id: "shape/options-never-throw",
    title: "Wrong options are issues, never exceptions.",
    why: "Issues carry the place of each mistake; an exception loses it and all others.",
    mend: "return issues from validate instead of throwing",
    async check(stage) {
      for (const each of nonsense) {
        const { rejected, value } = await stage.outcomeOf("validate", async () => validate(stage, each));
        expect(!rejected, `validate(${show(each)}) to give issues or a value`, `it threw ${show(value)}`);
      }
    },
  },
  {
    id: "shape/capabilities",
    title: "Every capability is declared, in its own form.",
    why: "Hosts decide by them how safely a resource can be put to sleep.",
    mend: "declare replicas, watch, routing, compareAndSet and settleWithinMs",
    async check({ instance }) {
      const { replicas, watch, routing, compareAndSet, settleWithinMs } = instance.capabilities;
      expect(["one", "many"].includes(replicas), 'capabilities.replicas to be "one" or "many"', replicas);
      for (const [name, value] of Object.entries({ watch, routing, compareAndSet }))
        expect(typeof value === "boolean", `capabilities.${name} to be true or false`, value);
      const isTime = typeof settleWithinMs === "number" && Number.isFinite(settleWithinMs) && settleWithinMs >= 0;
      expect(isTime, "capabilities.settleWithinMs to be finite milliseconds", settleWithinMs);
    },
  },
  {
    id: "shape/capabilities-constant",
    title: "Capabilities stay what they are for the life of an instance.",
    why: "A host reads them once, and chooses its protocol by them.",
    mend: "compute capabilities in create, once",
    buildsOn: ["shape/capabilities"],
    async check(stage) {
      const before = { ...stage.instance.capabilities };
      await stage.scale(1);
      await stage.scale(0);
      const after = { ...stage.instance.capabilities };
      expect(isDeepStrictEqual(before, after), `capabilities to stay ${show(before)}`, after);
    },
  },
  {
    id: "shape/methods",
    title: "Every method of the contract is there, and every one that a capability promises.",
    why: "A host calls what is declared; a method that is missing is found by the first request.",
    mend: "implement the method, or declare the capability as false",
    async check({ instance }) {
      const { watch, routing } = instance.capabilities;
      const expected = [
        ...(["listResources", "getResource", "setScale", "resolveTargets", Symbol.asyncDispose] as const),
        ...(watch ? (["watchResources"] as const) : []),
        ...(routing ? (["routeTraffic"] as const) : []),
      ];
      for (const name of expected) {
        const type = typeof instance[name];
        expect(type === "function", `${String(name)} to be a function`, type);
      }
    },
  },
];

async function validate({ plugin }: Stage, raw: unknown): Promise<{ readonly issues?: unknown }> {
  return plugin.options["~standard"].validate(raw);
}

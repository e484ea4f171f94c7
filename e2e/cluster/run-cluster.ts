import type { Image } from "../kubernetes/build-image.ts";
import { buildDormouseImage } from "../kubernetes/dormouse-image.ts";
import { keptImage } from "../kubernetes/kept-image.ts";
import { buildTestAppImage } from "../kubernetes/test-app-image.ts";
import { SeededRandom } from "../harness/seeded-random.ts";
import { type ClusterOptions, parseClusterOptions } from "./cluster-options.ts";
import { holds, type ProofResult, toClusterTable, toConclusion, toRemarks } from "./cluster-table.ts";
import type { Proof } from "./proof.ts";
import { proofs } from "./proofs.ts";
import { Tally } from "./tally.ts";
import { ClusterStage } from "./stage/cluster-stage.ts";

const names = proofs.map(({ name }) => name);

const usage = `Usage: npx pnpm@12 test:cluster [--quick] [--seed N] [--nodes N] [--kept-images] [--only NAME]…

Installs the working tree by its chart on a real cluster, and tries out what it claims there.

  --quick        fewer rounds
  --seed         repeats the random moments of an earlier run, which printed it
  --nodes        of a cluster of our own: 1 to 9 (1)
  --kept-images  takes the images of the last run instead of building them
  --only         just this: ${names.join(", ")}

The cluster is that of KUBECONFIG, or one of our own on this machine, which needs root and Debian 12: see
e2e/kubernetes/README.md. With a foreign one LOAD_IMAGE says how images get onto its nodes, HOST_ADDRESS which address of
this machine its API server reaches, and its Services and Pods must be reachable from here.
`;

const started = performance.now();

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseClusterOptions(args, names, Math.floor(Math.random() * 1_000_000));
    if (options.help) process.stdout.write(usage);
    else return await runAll(options);
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    return 2;
  }
  return 0;
}

async function runAll(options: ClusterOptions): Promise<number> {
  process.stdout.write(`seed ${String(options.seed)}${options.quick ? ", fewer rounds" : ""}\n`);
  const stage = await ClusterStage.open(options.nodes, () => images(options), say);
  let results: readonly ProofResult[];
  try {
    results = await runChosen(stage, options);
  } finally {
    await stage[Symbol.asyncDispose]();
  }
  process.stdout.write(`\n${toClusterTable(results)}\n\n`);
  for (const remark of toRemarks(results)) process.stdout.write(`${remark}\n`);
  process.stdout.write(`${toConclusion(results)}\n`);
  return results.every((result) => result.kind === "not-run" || holds(result.finding)) ? 0 : 1;
}

async function images({ keptImages }: ClusterOptions): Promise<readonly Image[]> {
  return keptImages
    ? [keptImage("localhost/test-app:1"), keptImage("localhost/dormouse:test")]
    : [await buildTestAppImage(), await buildDormouseImage()];
}

/** Those that may run beside each other first, then one after the other. */
async function runChosen(stage: ClusterStage, options: ClusterOptions): Promise<readonly ProofResult[]> {
  const chosen = proofs.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  const results = new Map<Proof, ProofResult>();
  const run = async (proof: Proof): Promise<void> => {
    const result = await runProof(stage, proof, options);
    results.set(proof, result);
    say(`${proof.name}: ${describeResult(result)}`);
  };
  await Promise.all(chosen.filter(({ isAlone }) => isAlone !== true).map(run));
  for (const proof of chosen.filter(({ isAlone }) => isAlone === true)) await run(proof);
  return chosen.flatMap((proof) => results.get(proof) ?? []);
}

async function runProof(stage: ClusterStage, proof: Proof, { quick, seed }: ClusterOptions): Promise<ProofResult> {
  const whyNot = proof.whyNot?.(stage);
  if (whyNot !== undefined) return { kind: "not-run", proof, whyNot };
  const begin = performance.now();
  const tally = new Tally();
  const random = new SeededRandom(seed, proof.name);
  try {
    await stage.withDemos(proof.plans, async (demo, ...others) => {
      const demos = [demo, ...others];
      try {
        await proof.run({ stage, demo, demos, tally, isQuick: quick, random });
      } catch (error) {
        for (const each of demos) {
          say(`${proof.name} broke off:\n${await stage.hosts.account(each.ref)}\n${await each.account()}`);
        }
        throw error;
      }
    });
  } catch (error) {
    tally.claim(false, describe(error));
  }
  const finding = tally.toFinding();
  return { kind: "run", proof, finding, tookMs: performance.now() - begin };
}

function describeResult(result: ProofResult): string {
  if (result.kind === "not-run") return "not tried";
  return holds(result.finding) ? "holds" : `does not hold: ${result.finding.problems.join("; ").slice(0, 2_000)}`;
}

function say(what: string): void {
  process.stderr.write(`${((performance.now() - started) / 1_000).toFixed(0).padStart(5)} s  ${what}\n`);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

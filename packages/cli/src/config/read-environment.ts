import { parseEnv } from "node:util";
import type { Terminal } from "../terminal.ts";
import { readNamedFile } from "./load-config.ts";

type Environment = Terminal["environment"];

/**
 * The environment, and below it the variables of a file: a variable that is set keeps its value, an empty one counts as not
 * set. The file has the form of Node's own `--env-file`.
 *
 * @param file left out: there is none
 * @throws RefusedConfig where the file cannot be read
 */
export async function readEnvironment(environment: Environment, file: string | undefined): Promise<Environment> {
  if (file === undefined) return environment;
  const text = await readNamedFile(file, "name a file of lines such as SCALE_METRIC=0.8");
  const isSet = ([, value]: readonly [string, string | undefined]): boolean => value !== undefined && value !== "";
  return { ...environment, ...parseEnv(text), ...Object.fromEntries(Object.entries(environment).filter(isSet)) };
}

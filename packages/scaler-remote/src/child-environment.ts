import type { ExecOptions } from "./remote-options.ts";

/** What a program gets: the variables of the host that are named, and over them those that are set. Nothing else. */
export function childEnvironment({ env, inherit }: ExecOptions): Record<string, string> {
  const inherited = inherit.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const own = Object.entries(env).map(([name, value]) => [name, String(value)] as const);
  return Object.fromEntries([...inherited, ...own]);
}

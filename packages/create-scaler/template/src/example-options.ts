import { z } from "zod";

/** What stands below `options:` in dormouse.yaml. Strict, so that a misspelt key is an error with its place. */
export const exampleOptions = z.strictObject({
  /** Where the platform's API is. */
  url: z.url({ protocol: /^https?$/ }),
  /** Sent as `Authorization: Bearer`. Write `{ env: NAME }` or `{ file: PATH }`: the host puts the secret in. */
  token: z.string().min(1).optional(),
});

export type ExampleOptions = z.output<typeof exampleOptions>;

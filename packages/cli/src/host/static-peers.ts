import { definePort, type PeerAddress, type PortPlugin } from "@dormouse/core";
import { z } from "zod";

const idSchema = z.string().regex(/^[A-Za-z0-9._:-]{1,253}$/, "is no id; use letters, digits and . _ : -");

const dlxSchema = z.strictObject({
  id: idSchema,
  url: z
    .url({ protocol: /^https?$/, error: 'is no URL; write for example "http://10.0.0.5:8081"' })
    .transform((url) => url.replace(/\/+$/, "")),
});

const optionsSchema = z
  .strictObject({
    dlxs: z.array(dlxSchema).min(1, "names no DLX; add one, for example { id: a, url: http://10.0.0.5:8081 }").max(200),
    self: idSchema.optional(),
  })
  .superRefine(({ dlxs, self }, context) => {
    for (const key of ["id", "url"] as const) {
      for (const index of repeated(dlxs.map((dlx) => dlx[key])))
        context.addIssue({ code: "custom", path: ["dlxs", index, key], message: "is another DLX's already" });
    }
    if (self !== undefined && !dlxs.some(({ id }) => id === self))
      context.addIssue({ code: "custom", path: ["self"], message: `"${self}" is the id of none of the dlxs` });
  });

/** Places of texts that stood in the list before. */
function repeated(texts: readonly string[]): number[] {
  return texts.flatMap((text, index) => (texts.indexOf(text) < index ? [index] : []));
}

/**
 * The peer discovery `static`: every DLX there is, written out. For machines without a platform that knows. One that is
 * listed and does not run keeps everything awake.
 */
export const staticPeers: PortPlugin<"peerDiscovery", z.output<typeof optionsSchema>> = definePort("peerDiscovery", {
  name: "static",
  options: optionsSchema,
  create: async ({ dlxs, self }, { connect }) => {
    const peers = dlxs.map((dlx: PeerAddress) => connect(dlx));
    return {
      ...(self !== undefined && { self }),
      listPeers: async () => peers,
      [Symbol.asyncDispose]: async () => {},
    };
  },
});

import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { parseConfigText } from "./load-config.ts";
import { maskConfig, printConfig } from "./print-config.ts";

const yaml = `
admin: { token: { env: TOKEN } }
scalers:
  - use: x
    options:
      password: hunter2
      headers: { authorization: Bearer abc, accept: text/html }
      url: https://user:hunter2@example.com/path
      nested: { clientSecret: { anything: hunter2 } }
      token: { file: path }
defaults: { idleAfter: 90s }
`;
const { config } = parseConfigText(yaml, { file: "d.yaml" });

describe("the printed configuration", () => {
  it("has defaults, durations as people write them, and is accepted again", () => {
    const printed = printConfig(config);
    expect(parse(printed)).toMatchObject({ defaults: { idleAfter: "90s" }, dlx: { drainTimeout: "30s" } });
    expect(parseConfigText(printed, { file: "d.yaml" }).config.defaults.idleAfter).toBe(90_000);
  });

  it("has no secret in it, whatever it stands under", () => {
    expect(printConfig(config)).not.toMatch(/hunter2|abc/);
  });

  it("keeps references, which are no secrets, and everything else", () => {
    expect(maskConfig(config)).toMatchObject({
      admin: { token: { env: "TOKEN" } },
      scalers: [
        {
          options: {
            token: { file: "path" },
            headers: { accept: "text/html", authorization: "********" },
            url: "https://user:********@example.com/path",
          },
        },
      ],
    });
  });
});

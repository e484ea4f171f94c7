import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findAdmin } from "./find-admin.ts";

let folder: string;
let config: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dormouse-admin-"));
  config = join(folder, "d.yaml");
});

afterEach(() => rm(folder, { recursive: true }));

describe("the host that is meant", () => {
  it("is the default one where nothing says otherwise", async () => {
    expect(await findAdmin({ config, environment: {} })).toEqual({ url: "http://127.0.0.1:8081", token: undefined });
  });

  it("is the configuration file's, the environment's over it, the flag's over both", async () => {
    await writeFile(config, "admin: { listen: 127.0.0.1:9001, token: { env: T } }\n");
    const environment = { T: "from-config" };
    expect(await findAdmin({ config, environment })).toEqual({ url: "http://127.0.0.1:9001", token: "from-config" });
    expect(
      await findAdmin({ config, environment: { ...environment, DORMOUSE_ADMIN_LISTEN: "127.0.0.1:9002" } }),
    ).toMatchObject({ url: "http://127.0.0.1:9002" });
    const named = { ...environment, DORMOUSE_ADMIN: "http://host:9003/", DORMOUSE_TOKEN: "from-environment" };
    expect(await findAdmin({ config, environment: named })).toEqual({
      url: "http://host:9003",
      token: "from-environment",
    });
    expect(await findAdmin({ config, admin: "https://other/base/", environment: named })).toMatchObject({
      url: "https://other/base",
    });
  });

  it("has its token from a file, by flag or environment or configuration", async () => {
    await writeFile(join(folder, "token"), "from-file\n");
    await writeFile(config, "admin: { token: { file: token } }\n");
    expect(await findAdmin({ config, environment: {} })).toMatchObject({ token: "from-file" });
    expect(
      await findAdmin({
        config: "none",
        environment: { DORMOUSE_TOKEN_FILE: join(folder, "token"), DORMOUSE_TOKEN: "x" },
      }),
    ).toMatchObject({ token: "from-file" });
  });

  it.each([
    ["0.0.0.0:8081", "http://127.0.0.1:8081"],
    ['"[::]:8081"', "http://[::1]:8081"],
    ['"[::1]:8081"', "http://[::1]:8081"],
    ["localhost:1", "http://localhost:1"],
  ])("that listens on %s is reached at %s", async (listen, url) => {
    await writeFile(config, `admin: { listen: ${listen} }\n`);
    expect(await findAdmin({ config, environment: {} })).toMatchObject({ url });
  });

  it.each(["admin: [", "admin: 5", "admin: { listen: 5, token: 5 }", "admin: { listen: nonsense }"])(
    "is found although the file says %j, so that why works when a change was refused",
    async (text) => {
      await writeFile(config, text);
      expect(await findAdmin({ config, environment: {} })).toEqual({ url: "http://127.0.0.1:8081", token: undefined });
    },
  );
});

describe("what is refused", () => {
  it.each(["nonsense", "ftp://x", "127.0.0.1:8081"])("the address %s", async (admin) => {
    await expect(findAdmin({ admin, environment: {} })).rejects.toThrow(
      `"${admin}" is no URL of a host; write for example http://127.0.0.1:8081`,
    );
  });

  it("a token file that cannot be read", async () => {
    await expect(findAdmin({ tokenFile: join(folder, "gone"), environment: {} })).rejects.toThrow(
      /^the token file .*gone cannot be read/,
    );
  });
});

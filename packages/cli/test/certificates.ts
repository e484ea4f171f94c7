import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Path of openssl; undefined where the machine lacks it. */
export const openssl: string | undefined = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "openssl"))
  .find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** A certificate with its key and the authority that signed it, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** An authority for tests, in a folder of its own. */
export class Authority implements AsyncDisposable {
  readonly folder: string;
  readonly ca: string;
  #issued = 0;

  private constructor(folder: string, ca: string) {
    this.folder = folder;
    this.ca = ca;
  }

  static async create(): Promise<Authority> {
    const folder = await mkdtemp(join(tmpdir(), "dormouse-ca-"));
    await newKey(folder, "ca", ["-x509", "-days", "1", "-subj", "/CN=test authority", "-out", join(folder, "ca.pem")]);
    return new Authority(folder, await readText(join(folder, "ca.pem")));
  }

  /** A certificate for one DNS name, and for no address. */
  async issue(name: string): Promise<Certificate> {
    const { folder } = this;
    const id = `leaf${(this.#issued += 1)}`;
    const [request, cert, extensions] = [`${id}.csr`, `${id}.pem`, `${id}.ext`].map((file) => join(folder, file));
    await newKey(folder, id, ["-subj", `/CN=${name}`, "-out", request ?? ""]);
    await writeFile(extensions ?? "", `subjectAltName=DNS:${name}\n`);
    const authority = ["-CA", join(folder, "ca.pem"), "-CAkey", join(folder, "ca.key"), "-CAcreateserial"];
    const signing = ["x509", "-req", "-days", "1", "-in", request, ...authority, "-extfile", extensions, "-out", cert];
    await run(openssl ?? "", signing.map(String));
    return {
      cert: await readText(cert ?? ""),
      key: await readText(join(folder, `${id}.key`)),
      ca: this.ca,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

async function newKey(folder: string, id: string, rest: readonly string[]): Promise<void> {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await run(openssl ?? "", ["req", ...curve, "-keyout", join(folder, `${id}.key`), ...rest]);
}

/** As a secret is read: without the last line's end. */
async function readText(file: string): Promise<string> {
  return (await readFile(file, "utf8")).trimEnd();
}

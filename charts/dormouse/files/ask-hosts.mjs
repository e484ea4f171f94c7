// What `helm test` runs: asks both hosts whether they are ready and, where one is given, sends a request to a sleeping server.
import { readFileSync } from "node:fs";
import { request as askPlain } from "node:http";
import { request as askOverTls } from "node:https";
import { setTimeout as rest } from "node:timers/promises";

const { HOSTS = "", SCHEME = "http", NAMESPACE = "default", CA_FILE, ECHO } = process.env;
const authorities = CA_FILE === undefined ? undefined : readFileSync(CA_FILE);

/**
 * Pods know the addresses of Services in their namespace by their environment, so that this needs no DNS.
 * @param {string} service
 */
function addressOf(service) {
  const variable = `${service.toUpperCase().replaceAll("-", "_")}_SERVICE_HOST`;
  return process.env[variable] ?? `${service}.${NAMESPACE}.svc`;
}

/**
 * One request, on a connection of its own.
 * @param {URL} url
 * @returns {Promise<{ status: number | undefined, text: string }>}
 */
function ask(url) {
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? askOverTls : askPlain;
    // The certificate is checked; its name need not be that of the Service.
    const options = { ca: authorities, checkServerIdentity: () => undefined, timeout: 30_000, agent: false };
    const request = send(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (/** @type {string} */ part) => (text = (text + part).slice(0, 2_000)));
      response.once("end", () => resolve({ status: response.statusCode, text: text.trim() }));
      response.once("error", reject);
    });
    request.once("timeout", () => request.destroy(new Error("no answer within 30 s")));
    request.once("error", reject);
    request.end();
  });
}

/**
 * Asks until the answer is right; else the deadline of the pod ends it. Says each other answer once.
 * @param {string} what
 * @param {URL} url
 * @param {(status: number | undefined, text: string) => boolean} isRight
 */
async function expectAnswer(what, url, isRight) {
  for (let last = ""; ; await rest(500)) {
    const said = await ask(url).then(
      ({ status, text }) => (isRight(status, text) ? "yes" : `not yet: ${String(status)} ${text}`),
      (/** @type {unknown} */ error) => `not yet: ${String(error)}`,
    );
    if (said !== last) console.log(`${what}: ${said}`);
    if (said === "yes") return;
    last = said;
  }
}

for (const service of HOSTS.split(",")) {
  const url = new URL(`${SCHEME}://${addressOf(service)}:8081/readyz`);
  await expectAnswer(`${service} is ready`, url, (status) => status === 200);
}
if (ECHO !== undefined) {
  const url = new URL(`http://${addressOf(ECHO)}/from-a-test`);
  await expectAnswer(
    "a sleeping server answers",
    url,
    (status, text) => status === 200 && text === "echo /from-a-test",
  );
}

// What `helm test` runs: asks both hosts whether they are ready and, where one is given, sends a request to a sleeping server.
import { readFileSync } from "node:fs";
import { request as askPlain } from "node:http";
import { request as askOverTls } from "node:https";
import { setTimeout as rest } from "node:timers/promises";

const authorities = process.env.CA_FILE && readFileSync(process.env.CA_FILE);

/** Pods know the addresses of Services by their environment, so that this needs no DNS where it is in the same namespace. */
function addressOf(service) {
  const variable = `${service.toUpperCase().replaceAll("-", "_")}_SERVICE_HOST`;
  return process.env[variable] ?? `${service}.${process.env.NAMESPACE}.svc`;
}

function ask(url) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const send = url.protocol === "https:" ? askOverTls : askPlain;
  // The certificate is checked; its name need not be that of the Service.
  const options = { ca: authorities, checkServerIdentity: () => undefined, timeout: 30_000, agent: false };
  const request = send(url, options, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part) => (text = (text + part).slice(0, 2_000)));
    response.once("end", () => resolve({ status: response.statusCode, text: text.trim() }));
    response.once("error", reject);
  });
  request.once("timeout", () => request.destroy(new Error("no answer within 30 s")));
  request.once("error", reject);
  request.end();
  return promise;
}

/** Asks until the answer is right; the pod's own deadline ends it otherwise. */
async function expectAnswer(what, url, isRight) {
  let last = "";
  for (;;) {
    const said = await ask(url).then(
      ({ status, text }) => (isRight(status, text) ? undefined : `${status} ${text}`),
      (error) => error.message,
    );
    if (said === undefined) return console.log(`${what}: as it should be`);
    if (said !== last) console.log(`${what}: ${said}`);
    last = said;
    await rest(500);
  }
}

for (const service of process.env.HOSTS.split(",")) {
  const url = new URL(`${process.env.SCHEME}://${addressOf(service)}:8081/readyz`);
  await expectAnswer(`${service} is ready`, url, (status) => status === 200);
}
if (process.env.ECHO) {
  const url = new URL(`http://${addressOf(process.env.ECHO)}/from-a-test`);
  await expectAnswer(
    "a sleeping server answers",
    url,
    (status, text) => status === 200 && text === "echo /from-a-test",
  );
}

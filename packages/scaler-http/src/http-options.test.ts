import { describe, expect, it } from "vitest";
import { httpOptions } from "./http-options.ts";

const app = { name: "app", url: "http://localhost:8123" };

function issuesOf(options: object): readonly string[] {
  const parsed = httpOptions.safeParse(options);
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => {
    const inner = issue.code === "invalid_key" ? issue.issues.map(({ message }) => message) : [issue.message];
    return `${issue.path.join(".")} ${inner.join(", ")}`;
  });
}

describe("the options of the scaler http", () => {
  it.each<[string, object]>([
    ["a URL alone", { resources: [app] }],
    ["a URL for all", { url: "https://h/apps/{{name}}", resources: [{ name: "a" }, { name: "b" }] }],
    ["no resources", { resources: [] }],
    ["targets in a list", { resources: [{ ...app, targets: ["10.0.0.1:80", "[::1]:80", "app.internal:80"] }] }],
    ["a template of targets", { resources: [{ ...app, targets: "{{name}}-{{ index }}.internal:80" }] }],
    ["reported targets", { resources: [{ ...app, targets: { addresses: "$.a[?@.up].address", port: 80 } }] }],
    ["a count in the path", { resources: [{ ...app, scale: { path: "/scale/{{replicas}}", body: {} } }] }],
    ["a version in the body", { resources: [app], compareAndSet: { version: "$.rev", header: "X-Rev" } }],
  ])("take %s", (_, options) => {
    expect(issuesOf(options)).toEqual([]);
  });

  it.each<[object, string]>([
    [{}, "resources Invalid input"],
    [{ resources: [{ name: "app" }] }, "resources.0.url is missing; write the API's address"],
    [{ resources: [{ ...app, url: "localhost:8123" }] }, "resources.0.url is no URL"],
    [{ resources: [{ ...app, url: "ftp://localhost" }] }, "resources.0.url is no URL"],
    [{ resources: [{ ...app, url: "http://me:secret@localhost" }] }, "resources.0.url must not hold credentials"],
    [{ resources: [{ ...app, url: "http://h/{{pod}}" }] }, "resources.0.url has an unknown placeholder"],
    [{ resources: [app, app] }, "resources.1.name is the name of resources[0] already"],
    [{ resources: [{ ...app, name: "a b" }] }, "resources.0.name is no name"],
    [{ url: "http://{{name}}/", resources: [{ name: "a:b" }] }, "resources.0.name makes no URL out of url"],
    [{ resources: [{ ...app, status: { path: "status" } }] }, "resources.0.status.path is no path"],
    [
      { resources: [{ ...app, status: { replicas: "replicas" } }] },
      'resources.0.status.replicas "replicas" is no JSONPath',
    ],
    [{ resources: [{ ...app, status: { body: {} } }] }, "resources.0.status.body is not sent with GET"],
    [{ resources: [{ ...app, scale: { body: { replicas: 3 } } }] }, "resources.0.scale.body says no count"],
    [
      { resources: [{ ...app, scale: { body: "{{count}}" } }] },
      "resources.0.scale has the unknown placeholder {{count}}",
    ],
    [{ resources: [{ ...app, scale: { method: "DELETE" } }] }, "resources.0.scale.method"],
    [{ resources: [{ ...app, scale: { success: [404] } }] }, "resources.0.scale.success.0"],
    [{ resources: [{ ...app, targets: ["nowhere"] }] }, "resources.0.targets.0 is no address"],
    [{ resources: [{ ...app, targets: "app.internal:80" }] }, "resources.0.targets has no {{index}}"],
    [{ resources: [{ ...app, targets: "{{index}}/x" }] }, "resources.0.targets makes no address"],
    [{ resources: [{ ...app, minimum: 3, replicas: 2 }] }, "resources.0.replicas is below minimum, which is 3"],
    [
      { resources: [{ ...app, token: "a", basicAuth: { username: "a", password: "b" } }] },
      "resources.0.basicAuth stands beside token",
    ],
    [{ resources: [{ ...app, headers: { "transfer-encoding": "chunked" } }] }, "is set by the connection itself"],
    [{ resources: [{ ...app, headers: { a: "1\r\nb: 2" } }] }, "resources.0.headers.a is no header value"],
    [{ resources: [{ ...app, timeout: 0 }] }, "resources.0.timeout"],
    [{ resources: [{ ...app, retries: { attempts: 0 } }] }, "resources.0.retries.attempts"],
    [{ resources: [{ ...app, policyy: {} }] }, "resources.0 Unrecognized key"],
    [{ resources: [app], tls: { ca: "cert.pem" } }, "tls.ca is no certificate"],
    [{ resources: [app], compareAndSet: { version: "rev" } }, "compareAndSet.version"],
  ])("say what is wrong in %j", (options, problem) => {
    expect(issuesOf(options).join("\n")).toContain(problem);
  });
});

import { fillTemplate } from "@dormouse/http-json";
import { parseAddress } from "./address.ts";
import { fillIndex } from "./fill-body.ts";
import type { HttpOptions, PartialApi, ResourceSpec } from "./http-options.ts";

type Place = readonly (string | number)[];
type Complain = (place: Place, message: string) => void;

/** What the schemas of single keys cannot see. */
export function checkOptions(options: HttpOptions, complain: Complain): void {
  checkApi(options, [], complain);
  checkNames(options.resources, complain);
  for (const [index, resource] of options.resources.entries())
    checkResource(options, resource, ["resources", index], complain);
}

function checkNames(resources: readonly ResourceSpec[], complain: Complain): void {
  const seen = new Map<string, number>();
  for (const [index, { namespace, name }] of resources.entries()) {
    const first = seen.get(`${namespace}/${name}`);
    if (first === undefined) seen.set(`${namespace}/${name}`, index);
    else complain(["resources", index, "name"], `is the name of resources[${first}] already; give each its own`);
  }
}

function checkResource(top: PartialApi, resource: ResourceSpec, place: Place, complain: Complain): void {
  checkApi(resource, place, complain);
  const url = resource.url ?? top.url;
  if (url === undefined)
    complain([...place, "url"], 'is missing; write the API\'s address, for example "http://localhost:8123"');
  else if (!URL.canParse(fillTemplate(url, resource)))
    complain([...place, "name"], "makes no URL out of url; use another name");
  const minimum = resource.minimum ?? top.minimum ?? 1;
  if (resource.replicas !== undefined && resource.replicas < minimum)
    complain([...place, "replicas"], `is below minimum, which is ${String(minimum)}`);
}

function checkApi(api: PartialApi, place: Place, complain: Complain): void {
  if (api.token !== undefined && api.basicAuth !== undefined)
    complain([...place, "basicAuth"], "stands beside token; leave one out");
  if (api.status?.body !== undefined && (api.status.method ?? "GET") === "GET")
    complain([...place, "status", "body"], "is not sent with GET; leave it out, or set method to POST");
  checkScale(api, place, complain);
  if (typeof api.targets === "string" && parseAddress(fillTemplate(fillIndex(api.targets, 0), sample)) === undefined)
    complain([...place, "targets"], 'makes no address; write for example "app-{{index}}.internal:8080"');
}

const sample = { namespace: "namespace", name: "name" };

function checkScale({ scale }: PartialApi, place: Place, complain: Complain): void {
  if (scale === undefined) return;
  const { path = "", body } = scale;
  const unknown = [...`${path} ${JSON.stringify(body ?? "")}`.matchAll(/\{\{\s*([^}]*?)\s*\}\}/g)].find(
    ([, name]) => !["replicas", "wakeReplicas", "namespace", "name"].includes(name ?? ""),
  );
  if (unknown !== undefined)
    complain(
      [...place, "scale"],
      `has the unknown placeholder ${unknown[0]}; known are {{replicas}}, {{wakeReplicas}}, {{namespace}} and {{name}}`,
    );
  const saysCount = body === undefined ? true : `${path} ${JSON.stringify(body)}`.includes("{{replicas}}");
  if (!saysCount) complain([...place, "scale", "body"], 'says no count; write "{{replicas}}" where it belongs');
}

import { describe, expect, it } from "vitest";
import { checkWrittenResources } from "./check-config.ts";
import { parseConfigText } from "./load-config.ts";
import { RefusedConfig } from "./refused-config.ts";

function problemsOf(resources: readonly unknown[], rest: object = {}): readonly string[] {
  const config = { scalers: [{ use: "process", id: "local", options: { resources } }], ...rest };
  try {
    checkWrittenResources(parseConfigText(JSON.stringify(config), { file: "d.yaml" }));
  } catch (error) {
    if (error instanceof RefusedConfig)
      return error.problems.map(({ place, problem, mend }) => `${place}: ${problem}; ${mend ?? ""}`);
    throw error;
  }
  return [];
}

describe("routes", () => {
  it("of two resources may not be one, in whatever case they are written", () => {
    const resources = [
      { name: "a", policy: { hosts: ["x.test"] } },
      { name: "b", policy: { hosts: ["y.test", "X.test"] } },
    ];
    expect(problemsOf(resources)).toEqual([
      "scalers[0].options.resources[1].policy.hosts: x.test/ leads to local/default/a already; give one of them another host, pathPrefix, header or listener",
    ]);
  });

  it.each([
    ["pathPrefix", { pathPrefix: "/a" }, { pathPrefix: "/a/" }],
    ["headers", { headers: { "x-tenant": "1" } }, { headers: { "X-Tenant": "1" } }],
    ["listen", { listen: ["127.0.0.1:9000"] }, { listen: ["127.0.0.1:9000"] }],
  ])("are compared by %s too", (key, one, other) => {
    const problems = problemsOf([
      { name: "a", policy: one },
      { name: "b", policy: other },
    ]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`scalers[0].options.resources[1].policy.${key}: `);
  });

  it("that differ in a path or a header stand side by side", () => {
    const hosts = ["x.test"];
    const policies = [{ hosts }, { hosts, pathPrefix: "/a" }, { hosts, headers: { "x-tenant": "1" } }];
    expect(problemsOf(policies.map((policy, index) => ({ name: `r${index}`, policy })))).toEqual([]);
  });

  it("may not take a listener of the host itself", () => {
    expect(problemsOf([{ name: "a", policy: { listen: ["127.0.0.1:8080", "127.0.0.1:8081"] } }])).toEqual([
      "scalers[0].options.resources[0].policy.listen: 127.0.0.1:8080 is the address of dlx.listen already; choose another port",
      "scalers[0].options.resources[0].policy.listen: 127.0.0.1:8081 is the address of admin.listen already; choose another port",
    ]);
  });
});

describe("dependencies", () => {
  it("that lead nowhere are named with what was meant", () => {
    const resources = [
      { name: "app", policy: { dependsOn: ["bd", "other/default/db", "local/prod/db"] } },
      { name: "db" },
    ];
    expect(problemsOf(resources)).toEqual([
      "scalers[0].options.resources[0].policy.dependsOn[0]: there is no resource local/default/bd; known: local/default/app, local/default/db",
      'scalers[0].options.resources[0].policy.dependsOn[1]: there is no scaler "other"; known: local',
      'scalers[0].options.resources[0].policy.dependsOn[2]: there is no resource local/prod/db; did you mean "local/default/db"?',
    ]);
  });

  it("on resources of a scaler that lists elsewhere are left to that scaler", () => {
    const scalers = [
      {
        use: "process",
        id: "local",
        options: { resources: [{ name: "app", policy: { dependsOn: ["k8s/prod/db"] } }] },
      },
      { use: "k8s-deployment", id: "k8s" },
    ];
    expect(problemsOf([], { scalers })).toEqual([]);
  });

  it("that lead in a circle are named once, with the whole circle", () => {
    const resources = [
      { name: "a", policy: { dependsOn: ["b"] } },
      { name: "b", policy: { dependsOn: ["c"] } },
      { name: "c", policy: { dependsOn: ["a"] } },
      { name: "d", policy: { dependsOn: ["a", "d"] } },
    ];
    expect(problemsOf(resources)).toEqual([
      "scalers[0].options.resources[0].policy.dependsOn: leads in a circle: local/default/a → local/default/b → local/default/c → local/default/a; take one of these dependencies out",
      "scalers[0].options.resources[3].policy.dependsOn: leads in a circle: local/default/d → local/default/d; take one of these dependencies out",
    ]);
  });
});

it("leaves a wrong policy to its plugin, which says all that is wrong with it", () => {
  expect(problemsOf([{ name: "a", policy: { idleAfter: "soon" } }, { name: 5 }, "nonsense"])).toEqual([]);
});

import { createHttpHeaders, type HttpClient } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import type { FakeArm } from "./fake-arm.ts";

/** Hands requests to the fake within this process, for tests in virtual time. */
export function directClient(arm: FakeArm): HttpClient {
  return {
    async sendRequest(request) {
      const { pathname, search } = new URL(request.url);
      const authorization = request.headers.get("authorization");
      const answer = await arm.handle({ method: request.method, target: `${pathname}${search}`, authorization });
      const headers = createHttpHeaders({ "content-type": "application/json", ...answer.headers });
      const body = answer.text ?? (answer.body === undefined ? "" : JSON.stringify(answer.body));
      return { request, status: answer.status, headers, bodyAsText: body };
    },
  };
}

/** One token for ever. */
export const fixedCredential: TokenCredential = {
  getToken: async () => ({ token: "fixed", expiresOnTimestamp: Date.now() + 86_400_000 }),
};

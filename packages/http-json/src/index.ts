export { fillPlainTemplate, fillTemplate, leavesPath, templateSchema } from "./fill-template.ts";
export { describeCall, type HttpAnswer, type HttpCall, type HttpMethod } from "./http-call.ts";
export { type ExchangeOptions, HttpClient, type HttpClientOptions } from "./http-client.ts";
export { HttpFailure, type HttpFailureFacts, quote, toContentFailure } from "./http-failure.ts";
export { JsonPath, jsonPathSchema } from "./json-path.ts";
export { metricsSource } from "./metrics/http-json-source.ts";
export { parseJson } from "./parse-json.ts";
export { readNumber, type ReadNumber } from "./read-number.ts";
export {
  type Credentials,
  headersOf,
  requestFields,
  type Retries,
  retriesSchema,
  type TlsOptions,
  tlsSchema,
  urlTemplateSchema,
} from "./request-options.ts";

import { z } from "zod";

const portPattern = "(?:\\d{1,4}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])";
const listenPattern = new RegExp(`^(?:\\[[0-9A-Fa-f:.]+\\]|[^:\\s[\\],]+):${portPattern}$`);

/** Where to listen: `host:port`, an IPv6 address in brackets, port 0 for any free one. */
export const listenAddressSchema = z.string().regex(listenPattern, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is no listen address; write "127.0.0.1:8080", "[::1]:8080" or "0.0.0.0:8080"`,
});

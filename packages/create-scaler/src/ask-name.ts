import { createInterface } from "node:readline/promises";
import { UsageError } from "./usage-error.ts";

/** Where a person may be asked. */
export interface Asked {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
}

/**
 * Asks for the name of the scaler.
 * @throws UsageError where nobody sits at a terminal, or nothing was answered
 */
export async function askName({ stdin, stdout }: Asked): Promise<string> {
  if (!stdin.isTTY || !stdout.isTTY)
    throw new UsageError(`NAME is missing, and there is no terminal to ask on; ${usage}`);
  const reader = createInterface({ input: stdin, output: stdout });
  try {
    const answer = (await answerOrEnd(reader, "Which platform is it for (for example nomad)? ")).trim();
    if (answer === "") throw new UsageError(`NAME is missing; ${usage}`);
    return answer;
  } finally {
    reader.close();
  }
}

const usage = "write: npm create @dormouse/scaler NAME";

/** Empty where the person ends the input instead (Ctrl+D, Ctrl+C). */
function answerOrEnd(reader: ReturnType<typeof createInterface>, question: string): Promise<string> {
  return new Promise((resolve) => {
    reader.once("close", () => resolve(""));
    void reader.question(question).then(resolve, () => resolve(""));
  });
}

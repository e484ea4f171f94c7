import type { Logger } from "@dormouse/core";

type Level = "debug" | "info" | "warn" | "error";

/** A logger that remembers what was said. */
export class RecordingLogger implements Logger {
  readonly lines: { readonly level: Level; readonly fields: object; readonly message: string }[] = [];

  debug(fields: object, message: string): void {
    this.lines.push({ level: "debug", fields, message });
  }

  info(fields: object, message: string): void {
    this.lines.push({ level: "info", fields, message });
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: "warn", fields, message });
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: "error", fields, message });
  }

  child(): Logger {
    return this;
  }

  messages(level: Level): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  /** Messages of the errors that were logged. */
  failures(): string[] {
    return this.lines.map(({ fields }) => {
      const error: unknown = Reflect.get(fields, "error");
      return error instanceof Error ? error.message : "";
    });
  }
}

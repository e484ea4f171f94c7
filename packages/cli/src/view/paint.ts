import { styleText } from "node:util";
import type { ResourceState } from "@dormouse/core";

type Style = Parameters<typeof styleText>[0];

/** Colours a text, or leaves it alone where the output has no colours. */
export type Paint = (style: Style, text: string) => string;

export function createPaint(color: boolean): Paint {
  return (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
}

export const stateStyles: Readonly<Record<ResourceState["kind"], Style>> = {
  asleep: "dim",
  waking: "yellow",
  awake: "green",
  sleeping: "yellow",
  failed: "red",
};

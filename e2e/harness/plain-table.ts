import Table from "cli-table3";

const noLines = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

type Align = "left" | "right";

/**
 * Rows in columns, without lines; the first column stands to the left.
 * @param others how the other columns stand; left out: numbers to the right, texts to the left, as the first row has them
 */
export function plainTable(
  heads: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  others?: Align,
): string {
  const alignOf = (column: number): Align => {
    if (column === 0) return "left";
    return others ?? (typeof rows[0]?.[column] === "number" ? "right" : "left");
  };
  const table = new Table({
    head: [...heads],
    chars: noLines,
    colAligns: heads.map((_, column) => alignOf(column)),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  for (const row of rows) table.push(row.map(String));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

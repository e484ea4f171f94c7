const block = Buffer.alloc(65_536);
for (let index = 0; index < block.length; index += 1) block[index] = (index * 31 + (index >> 8)) & 0xff;

/** Blocks of a fixed pattern that have this many bytes together: the same on both sides of a transfer. */
export function* patternBlocks(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= block.length) yield left < block.length ? block.subarray(0, left) : block;
}

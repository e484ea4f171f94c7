export function asMs(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
}

export function asUs(us: number): string {
  return `${us.toFixed(0)} us`;
}

export function asRatio(ratio: number): string {
  return `${ratio.toFixed(2)} x`;
}

export function asKiB(bytes: number): string {
  return `${(bytes / 1_024).toFixed(1)} KiB`;
}

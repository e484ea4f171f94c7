/** Our own processes; whatever else writes is a person, another controller, or the world. */
export function isOurs(who: string): boolean {
  return /^(?:dlx|autoscaler|host)-/.test(who);
}

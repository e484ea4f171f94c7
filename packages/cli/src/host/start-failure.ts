/** A host cannot start, though its configuration may be right: a platform does not answer, say. Exit code 1. */
export class StartFailure extends Error {
  override readonly name = "StartFailure";
}

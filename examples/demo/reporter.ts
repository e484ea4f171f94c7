/** Tells what happens while it happens. */
export interface Reporter {
  /** Something worth a line. */
  tell(text: string): void;
  /** The numbers may have changed. */
  refresh(): void;
  /** Nothing more comes. */
  end(): void;
}

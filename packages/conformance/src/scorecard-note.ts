/** Type of the note by which a runner's report carries a scorecard as JSON, where its tests take notes. */
export const scorecardNote = "dormouse-scorecard";

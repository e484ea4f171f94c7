/** The file that is meant where none is named. */
export const defaultConfigFile = "dormouse.yaml";

/** One step of a path into a file: a key, or a place in a list. */
export type PathPart = string | number;

/** Items that are there by construction: one that is not ends here as a bug, and is never passed on as undefined. */

/** The value, where an earlier check made sure of it; a RangeError where that check was wrong. */
export function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined)
    throw new RangeError('a value that a check had found is missing');
  return value;
}

/** The item at a position that is known to exist; a RangeError where it does not. */
export function itemAt<T>(list: ArrayLike<T>, index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`there is no item ${index} of ${list.length}`);
  return item;
}

/** The last item of a list that is known not to be empty. */
export function lastItem<T>(list: ArrayLike<T>): T {
  return itemAt(list, list.length - 1);
}

/** How many items at the beginning fulfil a condition, in a list where all that do come first; found by halving. */
export function countLeading<T>(list: ArrayLike<T>, holds: (item: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(itemAt(list, middle))) low = middle + 1;
    else high = middle;
  }
  return low;
}

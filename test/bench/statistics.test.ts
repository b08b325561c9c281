import { median, quantile, sum } from '../../bench/statistics';

test.each([
  [[7], 7],
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
  [[1, 1, 100], 1],
])('the median of %j is %d', (values, expected) => expect(median(values)).toBe(expected));

test.each([
  [0.5, 6],
  [0.95, 10],
  [0, 1],
  [1, 10],
])('the quantile %d of the numbers 1 to 10 is %d', (part, expected) =>
  expect(quantile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], part)).toBe(expected),
);

test('median and quantile of no values are NaN, and their sum is 0', () => {
  expect(median([])).toBeNaN();
  expect(quantile([], 0.5)).toBeNaN();
  expect(sum([])).toBe(0);
});

test('median and quantile do not reorder their argument', () => {
  const values = [3, 1, 2];
  median(values);
  quantile(values, 0.5);
  expect(values).toEqual([3, 1, 2]);
});

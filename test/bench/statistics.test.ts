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
])('below the quantile %d of 1 to 10 lies that share of them: %d', (part, expected) =>
  expect(quantile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], part)).toBe(expected),
);

test('of nothing there is neither, but a sum', () => {
  expect(median([])).toBeNaN();
  expect(quantile([], 0.5)).toBeNaN();
  expect(sum([])).toBe(0);
});

test('what is given stays in its order', () => {
  const values = [3, 1, 2];
  median(values);
  quantile(values, 0.5);
  expect(values).toEqual([3, 1, 2]);
});

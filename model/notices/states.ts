/** What became of one delivery of a notice; `skipped` when the recipient has no address. */
export const deliveryStates = ['waiting', 'delivered', 'failed', 'skipped'] as const;

export type DeliveryState = (typeof deliveryStates)[number];

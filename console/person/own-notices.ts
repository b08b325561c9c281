/** The notices that a person gets. */
export type PersonNotice = 'password_changed' | 'password_incomplete' | 'one_time_link';

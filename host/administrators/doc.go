// Package administrators keeps the people who may use the jump server: one Systems Manager parameter a person says who
// they are, [Sync] makes their Unix accounts and a cache of their keys, and [AuthorizedKeys] answers sshd from the cache.
//
// What a person may do is the lesser of two things that are made one after the other: the groups of the account, which
// sshd's configuration asks for, and the options in front of each key. So nobody is ever let in half-way, wherever a run
// ends.
package administrators

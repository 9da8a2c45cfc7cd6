// Package readonlyuser keeps MySQL accounts that may SELECT on named schemas and nothing else: it creates them, brings
// them back to what they should be, gives them new passwords, drops them, and proves what they may do.
//
// It works as RDS's master user, who is not root, and touches only accounts that Drawbridge made. [Begin] takes a lock
// on the server, so that whoever uses this package on one server takes turns; [Prove] needs no lock.
package readonlyuser

// User is a MySQL account that may SELECT on the named schemas and nothing else.
type User struct {
	// Username is the user part of the account's name, 1 to 32 characters.
	Username string

	// Host is the host part of the account's name: a host name, an address, one with a netmask ("10.0.0.0/255.255.0.0"),
	// a CIDR block ("10.0.0.0/16"), or a pattern with % and _ (MySQL Reference Manual, "Specifying Account Names").
	// 1 to 255 ASCII characters.
	Host string

	// Schemas are the names of the schemas that the user may read, 1 to 64 characters each. A schema need not exist when
	// it is granted, but [Prove] asks that it does.
	Schemas []string

	// MaxConnections is how many connections the account may have open at a time (MAX_USER_CONNECTIONS), from 1.
	MaxConnections int
}

// Owner says which CloudFormation resource keeps an account. It is written into the account's attribute (MySQL
// Reference Manual, "CREATE USER Comment and Attribute Options").
type Owner struct {
	Stack    string `json:"stack"`    // the stack's id, an ARN
	Resource string `json:"resource"` // the resource's logical id
}

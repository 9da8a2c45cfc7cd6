package config

import (
	"regexp"
	"strings"

	"drawbridge/internal/mysqlname"
)

// (Amazon RDS API Reference, CreateDBInstance: DBName, DBInstanceIdentifier,
// MasterUsername and AllocatedStorage for MySQL.)
var (
	databaseName       = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)
	databaseIdentifier = regexp.MustCompile(`^[A-Za-z](-?[A-Za-z0-9])*$`)
	masterUsername     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,15}$`)
	instanceClass      = regexp.MustCompile(`^db\.([a-z][a-z0-9-]*)\.([a-z0-9]+)$`)
)

// The families and sizes of RDS for MySQL 8.4. Others are only warned of: AWS
// adds some every year.
var (
	classFamilies = wordSet(`t3 t4g c6gd m5 m5d m6g m6gd m6i m6id m6idn m6in m7g m7i m8g m8gd
		r5 r5b r5d r6g r6gd r6i r6id r6idn r6in r7g r7i r8g r8gd x2g x2idn x2iedn z1d`)
	classSizes = wordSet("micro small medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 32xlarge 48xlarge")
)

func (c *checker) database(at place, e *Environment) {
	db := e.Database
	switch name := at.key("name"); {
	case !databaseName.MatchString(db.Name):
		c.problem(name, "%s is not a database name that RDS accepts", show(db.Name))
	case isReservedWord(db.Name):
		c.problem(name, "%s is a word that MySQL reserves", show(db.Name))
	case mysqlname.IsSystemSchema(db.Name):
		c.problem(name, "%s is one of MySQL's own schemas", show(db.Name))
	}
	if id := db.Identifier; id != "" && (len(id) > 63 || !databaseIdentifier.MatchString(id)) {
		c.problem(at.key("identifier"), "%s is not a DB instance identifier", show(id))
	}
	switch name := at.key("masterUsername"); {
	case !masterUsername.MatchString(db.MasterUsername):
		c.problem(name, "%s is not a master username that RDS accepts", show(db.MasterUsername))
	case isReservedWord(db.MasterUsername):
		c.problem(name, "%s is a word that MySQL reserves", show(db.MasterUsername))
	// root is free in RDS: its own superuser is rdsadmin.
	case isReservedAccount(db.MasterUsername) && !strings.EqualFold(db.MasterUsername, "root"):
		c.problem(name, "%s is an account that RDS keeps for itself", show(db.MasterUsername))
	}
	if m := instanceClass.FindStringSubmatch(db.InstanceClass); m == nil {
		c.problem(at.key("instanceClass"), "%s is not a DB instance class", show(db.InstanceClass))
	} else if !classFamilies[m[1]] || !classSizes[m[2]] {
		c.warn(at.key("instanceClass"), "%s is not a DB instance class that this version of Drawbridge knows; "+
			"check that RDS offers it for MySQL 8.4 in your region", show(db.InstanceClass))
	}
	c.between(at.key("storageGiB"), db.StorageGiB, 20, 65536)
	// RDS also takes 0, which switches backups off and with them restoring to
	// a point in time; storage for backups of the database's size is free.
	c.between(at.key("backupDays"), db.BackupDays, 1, 35)
	c.between(at.key("readReplicas"), db.ReadReplicas, 0, 15)
	if protection := at.key("deletionProtection"); e.Name == ProductionName && !c.given[protection.path] {
		c.problem(protection, "is missing")
	}
}

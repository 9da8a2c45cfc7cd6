"""Copies every table of the MySQL database that the environment names to a new SQLite file, for Datasette."""

import os
import sys

from sqlalchemy import URL, MetaData, create_engine, event, select

source = create_engine(
    URL.create(
        "mysql+pymysql",
        username=os.environ["RDS_USERNAME"],
        password=os.environ["RDS_PASSWORD"],
        host=os.environ["RDS_HOSTNAME"],
        port=int(os.environ["RDS_PORT"]),
        database=os.environ["RDS_DB_NAME"],
    ),
    connect_args={"ssl": {"ca": os.environ["DRAWBRIDGE_DB_CA_FILE"], "check_hostname": True}},
)
target = create_engine("sqlite:///" + sys.argv[1])

metadata = MetaData()


@event.listens_for(metadata, "column_reflect")
def generic_type(inspector, table, column):
    column["type"] = column["type"].as_generic(allow_nulltype=True)


metadata.reflect(source)
metadata.create_all(target)
with source.connect() as read, target.begin() as write:
    for table in metadata.sorted_tables:
        write.execute(table.insert(), [dict(row) for row in read.execute(select(table)).mappings()])

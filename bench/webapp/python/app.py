"""What a plain Flask app with SQLAlchemy shows of a database: its tables, and rows of one of them.

Each gunicorn worker imports this file, and so has a pool of connections of its own.
"""

import os

from flask import Flask, jsonify, render_template
from sqlalchemy import URL, MetaData, Table, create_engine, func, inspect, select, table

SIZE = 50

engine = create_engine(
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
sightings = Table("sightings", MetaData(), autoload_with=engine)
app = Flask(__name__)


def rows():
    with engine.connect() as connection:
        return connection.execute(select(sightings).order_by(sightings.c.id).limit(SIZE)).mappings().all()


@app.get("/")
def overview():
    with engine.connect() as connection:
        names = inspect(connection).get_table_names()
        counts = [(name, connection.scalar(select(func.count()).select_from(table(name)))) for name in names]
    return render_template("overview.html", counts=counts)


@app.get("/tables/sightings")
def page():
    return render_template("table.html", columns=sightings.columns.keys(), rows=rows())


@app.get("/tables/sightings.json")
def as_json():
    return jsonify([dict(row) for row in rows()])

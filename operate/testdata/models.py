"""Writes models.json: what botocore knows of the calls that this package makes, which the tests compare them with.

    pip install botocore==1.43.62
    python operate/testdata/models.py > operate/testdata/models.json
"""
import json

import botocore.session
from botocore import xform_name

CALLS = {
    "cloudformation": ["DescribeStacks", "GetTemplate", "ListStackResources"],
    "cloudwatch": ["DescribeAlarms", "GetMetricData"],
    "ec2": ["DescribeAddresses", "DescribeInstanceTypes", "DescribeInstances", "DescribeInternetGateways", "DescribeVpcs"],
    "elasticbeanstalk": ["DescribeEnvironmentHealth", "DescribeEnvironmentResources"],
    "freetier": ["GetAccountPlanState"],
    "logs": ["DescribeLogGroups"],
    "rds": ["DescribeDBInstances"],
    "service-quotas": ["GetAWSDefaultServiceQuota", "GetServiceQuota"],
    "sns": ["ListSubscriptionsByTopic"],
    "ssm": ["GetParameter", "StartSession"],
    "sts": ["GetCallerIdentity"],
}


def tree(shape, seen=()):
    """A structure is an object, a list a list of one, a map an object with the key *, a text that is one of a few
    says which, and all else is its type's name."""
    if shape.name in seen:
        return "any"
    seen += (shape.name,)
    if shape.type_name == "structure":
        return {name: tree(member, seen) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [tree(shape.member, seen)]
    if shape.type_name == "map":
        return {"*": tree(shape.value, seen)}
    if 0 < len(getattr(shape, "enum", None) or []) <= 40:  # not the thousand instance types
        return "one of " + " ".join(shape.enum)
    return shape.type_name


def main():
    session = botocore.session.get_session()
    models = {}
    for service, operations in CALLS.items():
        model = session.get_service_model(service)
        for name in operations:
            operation = model.operation_model(name)
            members = operation.input_shape.members if operation.input_shape else {}
            models[f"{service} {xform_name(name, '-')}"] = {
                "input": {xform_name(member, "-"): tree(shape) for member, shape in members.items()},
                "output": tree(operation.output_shape),
            }
    print(json.dumps(models, indent=1, sort_keys=True))


main()

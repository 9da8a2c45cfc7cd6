"""moto's AWS emulator, with stand-ins for what its CloudFormation lacks.

A resource that moto cannot make, or an attribute that it does not know, gets a made-up value, so that the deployment goes
on, and a line in the file that LACKING names. Custom resources get one too: their Lambda functions would take Docker.

    LACKING=FILE python server.py PORT
"""

import os
import sys

from moto.cloudformation import models, parsing
from moto.server import main

seen = set()


def lacking(what):
    if what not in seen:
        seen.add(what)
        with open(os.environ["LACKING"], "a") as file:
            file.write(what + "\n")


class StandIn:
    """A resource of which nothing is known but that the template has it."""

    def __init__(self, logical_id, resource_type):
        self.type = self.cf_resource_type = resource_type
        self.logical_resource_id = logical_id
        # Where policies name it, an ARN.
        self.physical_resource_id = f"arn:aws:stand-in:us-east-1:123456789012:{logical_id}"

    def get_cfn_attribute(self, name):
        return self.physical_resource_id + "-" + name

    def is_created(self):
        return True


make = parsing.parse_and_create_resource


def make_or_stand_in(logical_id, resource_json, resources_map, account_id, region_name):
    resource_type = resource_json["Type"]
    if not resource_type.startswith("Custom::"):
        try:
            made = make(logical_id, resource_json, resources_map, account_id, region_name)
            if made is not None:
                return made
            lacking(resource_type)
        except Exception as error:
            lacking(f"{resource_type} of {logical_id}: {type(error).__name__} {error}")
    return StandIn(logical_id, resource_type)


def backend(resources_map):
    return models.cloudformation_backends[resources_map._account_id][resources_map._region_name]


clean = parsing.clean_json


def clean_or_stand_in(json, resources_map):
    if isinstance(json, dict) and "Fn::ImportValue" in json:
        # A stack that a change set makes would see no exports.
        return backend(resources_map).exports[clean(json["Fn::ImportValue"], resources_map)].value
    if isinstance(json, dict) and "Fn::GetStackOutput" in json:
        wanted = json["Fn::GetStackOutput"]
        for output in backend(resources_map).get_stack(wanted["StackName"]).outputs or []:
            if output["OutputKey"] == wanted["OutputName"]:
                return output["OutputValue"]
        raise KeyError(wanted)
    if isinstance(json, dict) and "Fn::GetAtt" in json:
        name, attribute = json["Fn::GetAtt"]
        resource = resources_map[name]
        try:
            value = clean(json, resources_map)
        except Exception:
            value = None
        if value is None:
            lacking(f"{resources_map._resource_json_map[name]['Type']}.{attribute}")
            # A list where the template takes an element of it.
            value = [f"Z0:{name}.{attribute}"] if attribute.endswith("Entries") else f"{name}.{attribute}"
        return value
    return clean(json, resources_map)


execute = models.CloudFormationBackend.execute_change_set


def execute_with_outputs(self, change_set_name, stack_name=None):
    """moto forgets the outputs of a stack that a change set makes."""
    execute(self, change_set_name, stack_name)
    for id, change_set in self.change_sets.items():
        if change_set_name in (id, change_set.change_set_name):
            stack = self.stacks[change_set.stack_id]
            stack._parse_template()
            stack.output_map = stack._create_output_map()
            for export in stack.exports:
                self.exports[export.name] = export


parsing.parse_and_create_resource = make_or_stand_in
parsing.clean_json = clean_or_stand_in
models.CloudFormationBackend.execute_change_set = execute_with_outputs
main(["-H", "127.0.0.1", "-p", sys.argv[1]])

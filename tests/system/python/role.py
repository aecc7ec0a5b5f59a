"""Prepares a service that speaks for AWS: a bucket, a user who may do nothing but take on a role, and that role,
which may read a part of the bucket and demands an external id. Prints what a client needs, as JSON.

Usage: role.py ENDPOINT BUCKET EXTERNAL_ID
"""

import json
import sys
import time

from botocore.config import Config
from botocore.session import Session

endpoint, bucket, external_id = sys.argv[1:]


def client(service, key):
    return Session().create_client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        # A session of one second is less than what the client would ask for.
        config=Config(parameter_validation=False),
    )


def policy(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


root = {"AccessKeyId": "000000000000", "SecretAccessKey": "test"}
iam, s3 = client("iam", root), client("s3", root)

s3.create_bucket(Bucket=bucket)
# What lists in another order elsewhere.
for key in ["logs/a", "logs/a/b", "logs/a b+c", "logs/a-b", "secret/key"]:
    s3.put_object(Bucket=bucket, Key=key, Body=f"the text of {key}\n".encode())

user = iam.create_user(UserName="weir")["User"]["Arn"]
user_key = iam.create_access_key(UserName="weir")["AccessKey"]
role = iam.create_role(
    RoleName="log-reader",
    AssumeRolePolicyDocument=policy(
        {
            "Effect": "Allow",
            "Principal": {"AWS": user},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }
    ),
)["Role"]["Arn"]
iam.put_user_policy(
    UserName="weir",
    PolicyName="take-on",
    PolicyDocument=policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}),
)
iam.put_role_policy(
    RoleName="log-reader",
    PolicyName="read-logs",
    PolicyDocument=policy(
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/logs/*"],
        }
    ),
)
session = client("sts", user_key).assume_role(
    RoleArn=role, RoleSessionName="short", ExternalId=external_id, DurationSeconds=1
)["Credentials"]
time.sleep(1.5)


def pair(key):
    return {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"], "token": key.get("SessionToken")}


print(json.dumps({"role": role, "user": pair(user_key), "expired": pair(session)}))

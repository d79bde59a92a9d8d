"""A no of the harness: what is wrong and what to do about it, in one sentence each."""


class Fault(Exception):
    pass

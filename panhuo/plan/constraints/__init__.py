"""The constraints of a plan, one file each: its words, its formula, its rows."""

from panhuo.plan.constraints import bond_quota, budget, choose_once, exclusive, needs, staff, target

ALL = (choose_once, budget, bond_quota, staff, target, exclusive, needs)

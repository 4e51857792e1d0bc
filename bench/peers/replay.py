"""Folds JSON Lines of events of a match into nested dicts, as one writes it by hand, and prints the state.

    python3 bench/peers/replay.py [json|orjson] < match.jsonl

Components are not checked; floats stay binary64 until the end, when those of f32 components are rounded.
"""
import json
import struct
import sys

VECTORS = ("position", "velocity", "scale", "direction", "rotation")
world = {}
orphaned = 0


def create(key, components):
    world[key] = {name: value for name, value in components.items() if value is not None}


def update(key, components):
    global orphaned
    entity = world.get(key)
    if entity is None:
        orphaned += 1
        return
    for name, value in components.items():
        if value is None:
            entity.pop(name, None)
        else:
            entity[name] = value


def delete(key):
    global orphaned
    if world.pop(key, None) is None:
        orphaned += 1


def add(key, name, value, most):
    global orphaned
    entity = world.get(key)
    if entity is None:
        orphaned += 1
    else:
        entity[name] = min(max(entity.get(name, 0) + value, 0), most)


def put(key, name, value):
    global orphaned
    entity = world.get(key)
    if entity is None:
        orphaned += 1
    else:
        entity[name] = sorted(set(entity.get(name, ())) | {value})


def some(event, *names):
    return {name: event[name] for name in names if name in event}


def spawned(event):
    create(event["user_id"], {"kind": "player", **some(event, "position", "rotation", "health", "collider")})


def player_moved(event):
    update(event["user_id"], some(event, "position", "rotation"))


def moved(event):
    update(event["id"], some(event, "position", "rotation"))


def fired(event):
    if "projectile_id" in event:
        own = {"kind": "projectile", "position": event["hand_position"], "owner": event["user_id"]}
        create(event["projectile_id"], {**own, **some(event, "type", "velocity", "collider")})


def fireball(event):
    own = {"kind": "projectile", "owner": event["monster_id"]}
    create(event["id"], {**own, **some(event, "type", "position", "velocity", "collider")})


def player_hit(event):
    update(event["user_id"], some(event, "health"))
    add(event["user_id"], "damage_taken", event["damage"], 1000000)


def killed(event):
    update(event["user_id"], {"health": 0, "state": "dead"})
    if "killer_id" in event:
        add(event["killer_id"], "frags", 1, 999)


def collected(name, plural):
    def handler(event):
        put(event["user_id"], plural, event[name])
        if "item_id" in event:
            delete(event["item_id"])

    return handler


def got(event):
    own = some(event, "health", "armor", "ammo")
    if own:
        update(event["user_id"], own)
    if "item_id" in event:
        delete(event["item_id"])


HANDLERS = {
    "player_spawned": spawned,
    "player_moved": player_moved,
    "monster_moved": moved,
    "projectile_moved": moved,
    "thing_moved": moved,
    "weapon_fired": fired,
    "monster_attacked": lambda event: None,
    "door_triggered": lambda event: None,
    "fireball_thrown": fireball,
    "player_hit": player_hit,
    "monster_hit": lambda event: update(event["id"], some(event, "health")),
    "monster_died": lambda event: update(event["id"], {"health": 0, "state": "dead"}),
    "player_killed": killed,
    "weapon_collected": collected("weapon", "weapons"),
    "key_collected": collected("key", "keys"),
    "immunity_collected": collected("immunity", "immunities"),
    "health_collected": got,
    "armor_collected": got,
    "ammo_collected": got,
    "item_collected": got,
    "weapon_switched": lambda event: update(event["user_id"], some(event, "weapon")),
    "door_moved": lambda event: update(event["id"], some(event, "floor", "ceiling")),
}


def fold(lines, loads):
    for line in lines:
        event = loads(line)
        name = event.get("event_name")
        if name is not None:
            HANDLERS[name](event)
        elif event["event"] == "update":
            update(event["entity_id"], event["components"])
        elif event["event"] == "create":
            create(event["entity_id"], event["components"])
        else:
            delete(event["entity_id"])


def rounded(entity):
    for name in VECTORS:
        if name in entity:
            entity[name] = [struct.unpack("f", struct.pack("f", number))[0] for number in entity[name]]
    return entity


if __name__ == "__main__":
    loads = json.loads
    if sys.argv[1:] == ["orjson"]:
        import orjson

        loads = orjson.loads
    fold(sys.stdin.buffer, loads)
    print(json.dumps({key: rounded(entity) for key, entity in world.items()}))
    print("orphaned", orphaned, file=sys.stderr)

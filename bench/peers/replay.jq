# Folds JSON Lines of events of a match into nested objects: jq -n -c -f bench/peers/replay.jq match.jsonl
# Orphaned operations are left out, not counted; floats stay binary64.
def some($event; $names): reduce $names[] as $name ({}; if $event | has($name) then .[$name] = $event[$name] else . end);
def update($id; $set): if has($id) then .[$id] += $set | .[$id] |= (if any(.[]; . == null) then with_entries(select(.value != null)) else . end) else . end;
def pose($id; $event):
  if $event | has("position") and has("rotation") then
    if has($id) then .[$id].position = $event.position | .[$id].rotation = $event.rotation else . end
  else update($id; some($event; ["position", "rotation"])) end;
def add($id; $name; $value; $most): if has($id) then .[$id][$name] |= ([[. + $value, 0] | max, $most] | min) else . end;
def put($id; $name; $value): if has($id) then .[$id][$name] |= ((. // []) + [$value] | unique) else . end;
def item($event): if $event | has("item_id") then del(.[$event.item_id]) else . end;
def got($event): update($event.user_id; some($event; ["health", "armor", "ammo"])) | item($event);
reduce inputs as $e ({};
  ($e.event_name // $e.event) as $name
  | if $name == "player_moved" then pose($e.user_id; $e)
    elif $name == "thing_moved" or $name == "projectile_moved" or $name == "monster_moved" then pose($e.id; $e)
    elif $name == "create" then .[$e.entity_id] = $e.components
    elif $name == "update" then update($e.entity_id; $e.components)
    elif $name == "delete" then del(.[$e.entity_id])
    elif $name == "weapon_fired" then
      if $e | has("projectile_id") then
        .[$e.projectile_id] = {kind: "projectile", position: $e.hand_position, owner: $e.user_id} + some($e; ["type", "velocity", "collider"])
      else . end
    elif $name == "fireball_thrown" then
      .[$e.id] = {kind: "projectile", owner: $e.monster_id} + some($e; ["type", "position", "velocity", "collider"])
    elif $name == "player_spawned" then
      .[$e.user_id] = {kind: "player"} + some($e; ["position", "rotation", "health", "collider"])
    elif $name == "player_hit" then update($e.user_id; some($e; ["health"])) | add($e.user_id; "damage_taken"; $e.damage; 1000000)
    elif $name == "monster_hit" then update($e.id; some($e; ["health"]))
    elif $name == "monster_died" then update($e.id; {health: 0, state: "dead"})
    elif $name == "player_killed" then
      update($e.user_id; {health: 0, state: "dead"})
      | if $e | has("killer_id") then add($e.killer_id; "frags"; 1; 999) else . end
    elif $name == "weapon_collected" then put($e.user_id; "weapons"; $e.weapon) | item($e)
    elif $name == "key_collected" then put($e.user_id; "keys"; $e.key) | item($e)
    elif $name == "immunity_collected" then put($e.user_id; "immunities"; $e.immunity) | item($e)
    elif $name == "health_collected" or $name == "armor_collected" or $name == "ammo_collected" or $name == "item_collected" then got($e)
    elif $name == "weapon_switched" then update($e.user_id; some($e; ["weapon"]))
    elif $name == "door_moved" then update($e.id; some($e; ["floor", "ceiling"]))
    else . end)

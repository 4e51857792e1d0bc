// Angles and quaternions (x y z w). An entity faces +x turned by its rotation; a head looks along -z turned by its own, as WebXR has it.

/** A turn about y as a quaternion. @param {number} angle @returns {number[]} */
export const yawToQuaternion = (angle) => [0, Math.sin(angle / 2), 0, Math.cos(angle / 2)];

/** The turn about y of which way an entity with this rotation faces. @param {number[]} rotation */
export function quaternionToYaw([x, y, z, w]) {
  return Math.atan2(2 * (w * y - x * z), 1 - 2 * (y * y + z * z));
}

/** Which way eyes look: yaw as an entity's, pitch upwards. @param {number} yaw @param {number} pitch @returns {number[]} */
export const lookDirection = (yaw, pitch) => [Math.cos(yaw) * Math.cos(pitch), Math.sin(pitch), -Math.sin(yaw) * Math.cos(pitch)];

/** The rotation of a head that looks so. @param {number} yaw @param {number} pitch @returns {number[]} */
export function headRotation(yaw, pitch) {
  // First the pitch about x, then the yaw about y: a head's own -z is where an entity of yaw -90° faces.
  const half = (yaw - Math.PI / 2) / 2;
  const [sy, cy, sp, cp] = [Math.sin(half), Math.cos(half), Math.sin(pitch / 2), Math.cos(pitch / 2)];
  return [cy * sp, sy * cp, -sy * sp, cy * cp];
}

/** A vector turned. @param {number[]} q @param {number[]} v @returns {number[]} */
export function turned([x, y, z, w], [vx, vy, vz]) {
  const [tx, ty, tz] = [2 * (y * vz - z * vy), 2 * (z * vx - x * vz), 2 * (x * vy - y * vx)];
  return [vx + w * tx + y * tz - z * ty, vy + w * ty + z * tx - x * tz, vz + w * tz + x * ty - y * tx];
}

/** The yaw of where a head looks. @param {number[]} rotation */
export function headYaw(rotation) {
  const [x, , z] = turned(rotation, [0, 0, -1]);
  return Math.atan2(-z, x);
}

/** As many digits as are worth sending. @param {number[]} numbers @param {number} digits */
export const rounded = (numbers, digits) => numbers.map((number) => Math.round(number * 10 ** digits) / 10 ** digits + 0);

/** A pose as it is sent: millimetres, and turns to a hundred-thousandth. */
export const roundedPose = ({ position, rotation }) => ({ position: rounded(position, 3), rotation: rounded(rotation, 5) });

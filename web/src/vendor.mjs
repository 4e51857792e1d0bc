// What the page uses of other people's code; built into one file, which changes only when this list or a version does.

export { Socket } from "phoenix";
export {
  BackSide, BoxGeometry, BufferGeometry, CanvasTexture, CapsuleGeometry, CircleGeometry, Color, ConeGeometry,
  CylinderGeometry, DirectionalLight, ExtrudeGeometry, Float32BufferAttribute, Fog, Group, HemisphereLight, LatheGeometry,
  Line, LineBasicMaterial, LineSegments, Matrix4, Mesh, MeshBasicMaterial, MeshLambertMaterial, OctahedronGeometry, PerspectiveCamera, Plane,
  Quaternion, RepeatWrapping, RingGeometry, Scene, Shape, ShapeUtils, SphereGeometry, Sprite, SpriteMaterial, SRGBColorSpace, Vector2,
  Vector3, WebGLRenderer,
} from "three";
export { OrbitControls } from "three/addons/controls/OrbitControls.js";

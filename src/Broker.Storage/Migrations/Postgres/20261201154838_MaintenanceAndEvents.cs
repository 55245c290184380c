using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Broker.Storage.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class MaintenanceAndEvents : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_hold_kind",
                table: "hold");

            migrationBuilder.CreateTable(
                name: "event_trigger",
                columns: table => new
                {
                    workflow = table.Column<string>(type: "text", nullable: false),
                    place = table.Column<int>(type: "integer", nullable: false),
                    type = table.Column<string>(type: "text", nullable: false),
                    spec = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_event_trigger", x => new { x.workflow, x.place });
                });

            migrationBuilder.AddCheckConstraint(
                name: "ck_hold_kind",
                table: "hold",
                sql: "kind BETWEEN 0 AND 2");

            migrationBuilder.CreateIndex(
                name: "ix_event_trigger_type",
                table: "event_trigger",
                columns: new[] { "type", "workflow", "place" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "event_trigger");

            migrationBuilder.DropCheckConstraint(
                name: "ck_hold_kind",
                table: "hold");

            migrationBuilder.AddCheckConstraint(
                name: "ck_hold_kind",
                table: "hold",
                sql: "kind BETWEEN 0 AND 1");
        }
    }
}
